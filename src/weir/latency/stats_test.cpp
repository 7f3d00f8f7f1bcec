// SPDX-License-Identifier: MIT
#include "weir/latency/stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace weir::latency {
namespace {

std::vector<std::uint64_t> one_to(std::uint64_t n) {
  std::vector<std::uint64_t> values(n);
  std::iota(values.begin(), values.end(), 1);
  return values;
}

TEST(Percentile, IsAMeasuredValueOfNearestRank) {
  const auto values = one_to(1000);
  EXPECT_EQ(percentile(values, 0.5), 500U);
  EXPECT_EQ(percentile(values, 0.9), 900U);
  EXPECT_EQ(percentile(values, 0.999), 999U);
  EXPECT_EQ(percentile(values, 1.0), 1000U);
  EXPECT_EQ(percentile({7}, 0.001), 7U);
}

TEST(Summarize, HasNothingToSayAboutNoValues) {
  Random random(1);
  EXPECT_FALSE(summarize({}, random).has_value());
}

TEST(Summarize, RoundsTheMeanAndKeepsTheEnds) {
  Random random(1);
  const auto summary = summarize({1, 2, 2, 100}, random);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->n, 4U);
  EXPECT_EQ(summary->mean_ns, 26U);
  EXPECT_EQ(summary->min_ns, 1U);
  EXPECT_EQ(summary->p50_ns, 2U);
  EXPECT_EQ(summary->max_ns, 100U);
}

TEST(BootstrapMedian, IsTheSameForTheSameSeed) {
  Random a(42);
  Random b(42);
  EXPECT_EQ(bootstrap_median(one_to(501), a), bootstrap_median(one_to(501), b));
}

TEST(BootstrapMedian, AgreesWithResamplingByHand) {
  const auto values = one_to(101);
  Random random(7);
  std::vector<std::uint64_t> medians;
  for (int resample = 0; resample < 1000; ++resample) {
    std::vector<std::uint64_t> drawn(values.size());
    for (auto& one : drawn) one = values[random.below(values.size())];
    std::ranges::sort(drawn);
    medians.push_back(percentile(drawn, 0.5));
  }
  std::ranges::sort(medians);
  Random other(8);
  const Interval interval = bootstrap_median(values, other);
  EXPECT_NEAR(static_cast<double>(interval.low_ns), static_cast<double>(percentile(medians, 0.025)), 2);
  EXPECT_NEAR(static_cast<double>(interval.high_ns), static_cast<double>(percentile(medians, 0.975)), 2);
}

TEST(BootstrapMedian, OfOneValueIsThatValue) {
  Random random(1);
  EXPECT_EQ(bootstrap_median({5}, random), (Interval{5, 5}));
}

TEST(Random, DrawsEachNumberBelowItsBound) {
  Random random(3);
  std::vector<int> seen(5);
  for (int i = 0; i < 5000; ++i) ++seen.at(random.below(5));
  for (const int count : seen) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace weir::latency
