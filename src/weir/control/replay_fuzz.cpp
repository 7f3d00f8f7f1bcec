// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "weir/control/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::FlatJson json;
  const auto recorded = weir::control::parse_recorded({reinterpret_cast<const char*>(data), size}, json);
  if (!recorded || !*recorded) return 0;
  weir::control::Score score;
  replay(**recorded, *(*recorded)->policy, (*recorded)->parameters, nullptr, score);
  if (score.decisions != 1) std::abort();
  return 0;
}
