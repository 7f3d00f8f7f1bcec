// SPDX-License-Identifier: MIT
#include "weir/latency/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "weir/base/error.h"

namespace weir::latency {
namespace {

constexpr std::size_t kResamples = 2000;

double normal(Random& random) {
  constexpr double kTurn = 6.283185307179586;
  return std::sqrt(-2 * std::log(random.unit())) * std::cos(kTurn * random.unit());
}

/// Gamma(shape >= 1) by Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
double gamma(double shape, Random& random) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal(random);
    const double v = std::pow(1.0 + c * x, 3);
    if (v > 0 && std::log(random.unit()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

std::size_t rank(std::size_t n, double share) {
  const auto whole = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
  return std::clamp<std::size_t>(whole, 1, n);
}

}  // namespace

std::uint64_t percentile(const std::vector<std::uint64_t>& sorted, double share) {
  WEIR_ASSERT(!sorted.empty());
  return sorted[rank(sorted.size(), share) - 1];
}

Interval bootstrap_median(const std::vector<std::uint64_t>& sorted, Random& random) {
  WEIR_ASSERT(!sorted.empty());
  const std::size_t n = sorted.size();
  const std::size_t middle = rank(n, 0.5);
  std::vector<std::uint64_t> medians(kResamples);
  for (std::uint64_t& median : medians) {
    const double x = gamma(static_cast<double>(middle), random);
    const double y = gamma(static_cast<double>(n - middle + 1), random);
    const auto index = static_cast<std::size_t>(x / (x + y) * static_cast<double>(n));
    median = sorted[std::min(index, n - 1)];
  }
  std::ranges::sort(medians);
  return {.low_ns = percentile(medians, 0.025), .high_ns = percentile(medians, 0.975)};
}

std::optional<Summary> summarize(const std::vector<std::uint64_t>& sorted, Random& random) {
  if (sorted.empty()) return std::nullopt;
  const double sum = std::accumulate(sorted.begin(), sorted.end(), 0.0);
  return Summary{
      .n = sorted.size(),
      .min_ns = sorted.front(),
      .mean_ns = static_cast<std::uint64_t>(std::llround(sum / static_cast<double>(sorted.size()))),
      .p50_ns = percentile(sorted, 0.5),
      .p90_ns = percentile(sorted, 0.9),
      .p99_ns = percentile(sorted, 0.99),
      .p999_ns = percentile(sorted, 0.999),
      .max_ns = sorted.back(),
      .p50_ci95 = bootstrap_median(sorted, random),
  };
}

}  // namespace weir::latency
