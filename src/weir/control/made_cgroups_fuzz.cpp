// SPDX-License-Identifier: MIT
// Any bytes as the record of cgroups that were made: never a crash, and what is believed is written as it was
// read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/control/made_cgroups.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::control;
  const auto made = parse_made({reinterpret_cast<const char*>(data), size}, "boot");
  if (!made) return 0;
  const auto again = parse_made(format_made(*made, "boot"), "boot");
  WEIR_ASSERT(again && *again == *made);
  return 0;
}
