// SPDX-License-Identifier: MIT
// Any bytes: a record, a list of containers, a list of events, or an error; what is one comes back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/history/files.h"
#include "weir/history/record.h"
#include "weir/history/subject_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::history;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = parse_header(bytes))
    (void)unpack_record(*header, bytes.substr(kHeaderBytes, header->stored));
  RecordHeader loose;
  loose.raw = 4096;
  (void)unpack_record(loose, bytes);
  if (const auto subjects = decode_subjects(bytes))
    WEIR_ASSERT(*decode_subjects(encode_subjects(*subjects)) == *subjects);
  if (const auto lines = decode_lines(bytes)) WEIR_ASSERT(*decode_lines(encode_lines(*lines)) == *lines);
  SegmentFile file;
  if (parse_segment_name(bytes, file)) (void)file.name();
  return 0;
}
