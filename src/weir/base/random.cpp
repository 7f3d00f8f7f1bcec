// SPDX-License-Identifier: MIT
#include "weir/base/random.h"

#include "weir/base/error.h"

namespace weir {

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

std::uint64_t Random::below(std::uint64_t bound) {
  WEIR_ASSERT(bound > 0);
  const std::uint64_t skewed = (UINT64_MAX % bound + 1) % bound;  // the last, partial run of values
  for (;;) {
    const std::uint64_t value = next();
    if (value <= UINT64_MAX - skewed) return value % bound;
  }
}

double Random::unit() { return (static_cast<double>(next() >> 12U) + 0.5) * 0x1p-52; }

}  // namespace weir
