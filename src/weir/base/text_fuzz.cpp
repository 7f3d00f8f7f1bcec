// SPDX-License-Identifier: MIT
// Any bytes, through every parser of base: no crash, and what is read is in range.
#include <cstdint>
#include <string_view>

#include "weir/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weir::parse_u64(text));
  static_cast<void>(weir::parse_decimal(text));
  if (const auto bytes = weir::parse_bytes(text)) static_cast<void>(weir::format_bytes(*bytes));
  if (const auto span = weir::parse_duration(text)) WEIR_ASSERT(span->count() >= 0);
  const std::string_view half = text.substr(0, size / 2);
  WEIR_ASSERT(weir::edit_distance(half, half) == 0);
  static_cast<void>(weir::glob_match(half, text.substr(size / 2)));
  return 0;
}
