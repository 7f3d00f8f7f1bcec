// SPDX-License-Identifier: MIT
// Any bytes as a journal: never a crash, and what is believed encodes back to what was read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/limits/journal.h"
#include "weir/limits/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::limits::parse_journal(text, "boot");
  const auto comes_back = [](const weir::limits::Record& record) {
    std::string line = weir::limits::encode(record);
    line.pop_back();  // its newline
    WEIR_ASSERT(line.find('\n') == std::string::npos);
    if (line.size() <= weir::limits::kLongestRecord) WEIR_ASSERT(weir::limits::decode(line) == record);
  };
  if (const auto record = weir::limits::decode(text)) comes_back(*record);
  // The checksum keeps random bytes out of the fields: put them there ourselves.
  weir::limits::Record record;
  record.boot = text.substr(0, size / 2);
  record.change.reason = text.substr(size / 2);
  record.change.after.text = text;
  comes_back(record);
  return 0;
}
