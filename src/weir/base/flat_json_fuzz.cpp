// SPDX-License-Identifier: MIT
// What is valid for this reader is valid for the other one, and has the same members.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "weir/base/flat_json.h"
#include "weir/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kCap = 4096;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weir::FlatJson flat;
  if (!flat.read(text, "fuzz", kCap)) return 0;
  const auto json = weir::parse_json(text, "fuzz", kCap);
  if (!json || !json->is_object()) std::abort();
  for (const auto& [key, value] : json->items()) {
    if (!value.is_object() && !flat.has("", key)) std::abort();
    if (value.is_object() && !flat.has_section(key)) std::abort();
  }
  return 0;
}
