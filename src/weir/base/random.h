// SPDX-License-Identifier: MIT
#pragma once
// Random: numbers that are the same everywhere for the same seed (splitmix64): a seed in a report replays its
// order and its intervals. Not for secrets.

#include <cstdint>

namespace weir {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);  ///< 0 <= result < bound, without bias
  double unit();                             ///< 0 < result < 1

 private:
  std::uint64_t state_;
};

}  // namespace weir
