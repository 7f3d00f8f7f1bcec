// SPDX-License-Identifier: MIT
#include "weir/model/frame.h"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

Sample usage_at(std::int64_t at, std::uint64_t usage) {
  Sample sample;
  sample.read_at[index(Source::cpu_stat)] = at;
  sample.set(Metric::cpu_usage, usage);
  return sample;
}

TEST(Metrics, HaveNamesOfTheirOwnAndOneFileEach) {
  std::set<std::string_view> names;
  std::size_t of_files = 0;
  for (const MetricInfo& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_EQ(&info(metric.metric), &metric);
  }
  for (std::size_t n = 0; n < kSources; ++n) {
    for (const MetricInfo& metric : metrics_of(static_cast<Source>(n))) EXPECT_EQ(index(metric.source), n);
    of_files += metrics_of(static_cast<Source>(n)).size();
  }
  EXPECT_EQ(of_files, kMetrics);
}

TEST(Rate, IsPerSecondOfTheFilesOwnReadTime) {
  EXPECT_DOUBLE_EQ(*rate(usage_at(1'000'000'000, 100), usage_at(1'500'000'000, 300), Metric::cpu_usage), 400);
}

TEST(Rate, IsUnknownWhereNothingWasReadAgainOrTheCounterWentBack) {
  const Sample before = usage_at(1'000'000'000, 100);
  EXPECT_FALSE(rate(before, before, Metric::cpu_usage));
  EXPECT_FALSE(rate(before, usage_at(2'000'000'000, 99), Metric::cpu_usage));
  EXPECT_FALSE(rate(Sample{}, before, Metric::cpu_usage)) << "not counted before";
  EXPECT_FALSE(rate(before, usage_at(2'000'000'000, 200), Metric::cpu_system));
}

TEST(Sample, KnowsZeroFromWhatIsNotCounted) {
  Sample sample;
  EXPECT_FALSE(sample.get(Metric::io_rbytes));
  sample.set(Metric::io_rbytes, 0, Known::zero);
  EXPECT_EQ(sample.get(Metric::io_rbytes), 0U);
  sample.known[index(Metric::io_rbytes)] = Known::not_counted;
  EXPECT_FALSE(sample.get(Metric::io_rbytes));
}

}  // namespace
}  // namespace weir
