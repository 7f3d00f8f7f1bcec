// SPDX-License-Identifier: MIT
// Any bytes as a target: an Error, or a target that keeps the text and whose parts are not empty.
#include <cstdlib>

#include "weir/container/target.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = weir::container::parse_target(text);
  if (target && (target->text != text || target->first.empty() || text.find('\0') != std::string_view::npos))
    std::abort();
  return 0;
}
