// SPDX-License-Identifier: MIT
#pragma once
// Loads on the CPU to learn from, and others to be judged by: other periods, heights and seeds. CPUs that are
// wanted, by the time since the start. Always the same.

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>

namespace weir::bench {

using Load = std::function<double(std::chrono::nanoseconds since)>;

inline double in_seconds(std::chrono::nanoseconds since) {
  return std::chrono::duration<double>(since).count();
}
/// Which half of its period it is in: high for `share` of it.
inline double square(std::chrono::nanoseconds since, double low, double high, double period, double share) {
  return std::fmod(in_seconds(since), period) < share * period ? high : low;
}
inline double ramp(std::chrono::nanoseconds since, double low, double high, double period) {
  return low + (high - low) * std::fmod(in_seconds(since), period) / period;
}
/// High in some of its slots of `slot` seconds, which look as if drawn at random.
inline double spikes(std::chrono::nanoseconds since, double low, double high, double slot,
                     std::uint64_t seed) {
  const auto number = static_cast<std::uint64_t>(in_seconds(since) / slot);
  std::uint64_t hash = (number + seed) * 0x9e3779b97f4a7c15U;
  hash ^= hash >> 29U;
  return hash % 100 < 30 ? high : low;
}

using Loads = std::array<Load, 3>;
inline const Loads kLearnedFrom = {
    [](std::chrono::nanoseconds since) { return square(since, 0.05, 0.4, 14, 0.4); },
    [](std::chrono::nanoseconds since) { return ramp(since, 0.05, 0.45, 18); },
    [](std::chrono::nanoseconds since) { return spikes(since, 0.05, 0.5, 3, 1); },
};
inline const Loads kLater = {
    [](std::chrono::nanoseconds since) { return square(since, 0.08, 0.45, 19, 0.5); },
    [](std::chrono::nanoseconds since) { return ramp(since, 0.05, 0.4, 11); },
    [](std::chrono::nanoseconds since) { return spikes(since, 0.06, 0.45, 4, 77); },
};

}  // namespace weir::bench
