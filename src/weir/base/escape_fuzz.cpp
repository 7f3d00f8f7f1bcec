// SPDX-License-Identifier: MIT
// Any bytes, through every escaper: what comes out must be harmless for its output.
#include <cstdint>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/escape.h"
#include "weir/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string safe = weir::terminal_safe(bytes);
  for (const char c : safe) WEIR_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  WEIR_ASSERT(weir::valid_utf8(safe) == safe);
  WEIR_ASSERT(weir::display_width(weir::fit_width(safe, 20)) <= 20);
  WEIR_ASSERT(weir::html_escape(bytes).find_first_of("<>\"'") == std::string::npos);
  const std::string utf8 = weir::valid_utf8(bytes);
  WEIR_ASSERT(weir::valid_utf8(utf8) == utf8);
  static_cast<void>(weir::csv_field(bytes));
  static_cast<void>(weir::shell_quote(bytes));
  if (const auto json = weir::parse_json(bytes, "fuzz")) static_cast<void>(weir::dump_json(*json));
  return 0;
}
