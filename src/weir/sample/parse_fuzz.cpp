// SPDX-License-Identifier: MIT
// Any text of any file: understood or not, never out of bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "weir/sample/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t n = 0; n < weir::kSources; ++n) {
    weir::Sample sample;
    (void)weir::sample::parse(static_cast<weir::Source>(n), text, sample);
    (void)weir::sample::parse_host(static_cast<weir::Source>(n), text, 100, sample);
  }
  return 0;
}
