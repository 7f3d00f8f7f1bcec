// SPDX-License-Identifier: MIT
#pragma once
// Stats: what a set of durations says, in whole nanoseconds. Percentiles are values that were measured
// (nearest rank), never interpolated. Pure.

#include <cstdint>
#include <optional>
#include <vector>

#include "weir/base/random.h"

namespace weir::latency {

struct Interval {
  std::uint64_t low_ns = 0, high_ns = 0;
  bool operator==(const Interval&) const = default;
};

struct Summary {
  std::uint64_t n = 0;
  std::uint64_t min_ns = 0, mean_ns = 0, p50_ns = 0, p90_ns = 0, p99_ns = 0, p999_ns = 0, max_ns = 0;
  Interval p50_ci95;  ///< bootstrap
};

/// The smallest measured value that at least `share` of all are not above. `sorted` is not empty, 0 < share
/// <= 1.
std::uint64_t percentile(const std::vector<std::uint64_t>& sorted, double share);

/// 95 % percentile-bootstrap interval of the median, of 2,000 resamples. The median of a resample of n values
/// is the sorted value at rank n*U, where U is the middle one of n uniform numbers, which is Beta(m, n-m+1):
/// drawn directly, so that a resample costs the same for any n.
Interval bootstrap_median(const std::vector<std::uint64_t>& sorted, Random& random);

/// nullopt for no values.
std::optional<Summary> summarize(const std::vector<std::uint64_t>& sorted, Random& random);

}  // namespace weir::latency
