// SPDX-License-Identifier: MIT
// Any bytes are a record or an error; a record survives being written and read again.
#include <cstdint>
#include <cstdlib>

#include "weir/doctor/host.h"
#include "weir/doctor/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::doctor::mount_points(text, "tracefs");
  const auto record = weir::doctor::parse_record(text);
  if (record && !weir::doctor::parse_record(weir::doctor::to_text(*record))) std::abort();
  return 0;
}
