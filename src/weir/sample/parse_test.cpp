// SPDX-License-Identifier: MIT
#include "weir/sample/parse.h"

#include <gtest/gtest.h>

namespace weir::sample {
namespace {

Sample parsed(Source source, std::string_view text) {
  Sample sample;
  EXPECT_TRUE(parse(source, text, sample)) << text;
  return sample;
}

TEST(Parse, TakesCpuStatWithAndWithoutTheController) {
  const Sample on =
      parsed(Source::cpu_stat,
             "usage_usec 10\nuser_usec 7\nsystem_usec 3\ncore_sched.force_idle_usec 0\nnr_periods "
             "5\nnr_throttled 2\nthrottled_usec 99\nnr_bursts 0\nburst_usec 0\n");
  EXPECT_EQ(on.get(Metric::cpu_usage), 10U);
  EXPECT_EQ(on.get(Metric::cpu_throttled), 99U);
  EXPECT_FALSE(on.get(Metric::cpu_steal)) << "only the host has that";
  const Sample off = parsed(Source::cpu_stat, "usage_usec 10\nuser_usec 7\nsystem_usec 3\n");
  EXPECT_EQ(off.get(Metric::cpu_system), 3U);
  EXPECT_EQ(off.known[index(Metric::cpu_throttled)], Known::not_counted);
}

TEST(Parse, AddsUpTheDevicesOfIoStat) {
  const Sample sample = parsed(Source::io_stat,
                               "8:0 rbytes=100 wbytes=1 rios=2 wios=3 dbytes=0 dios=0\n"
                               "253:1 rbytes=11 wbytes=4 rios=5 wios=6 dbytes=0 dios=0\n");
  EXPECT_EQ(sample.get(Metric::io_rbytes), 111U);
  EXPECT_EQ(sample.get(Metric::io_wios), 9U);
}

TEST(Parse, AnIoStatWithoutDevicesIsZeroAndNotUnknown) {
  const Sample sample = parsed(Source::io_stat, "");
  EXPECT_EQ(sample.known[index(Metric::io_rbytes)], Known::zero);
  EXPECT_EQ(sample.get(Metric::io_rbytes), 0U);
}

TEST(Parse, TakesPressureTotals) {
  const Sample sample = parsed(Source::memory_pressure,
                               "some avg10=0.12 avg60=0.00 avg300=0.00 total=123\n"
                               "full avg10=0.00 avg60=0.00 avg300=0.00 total=45\n");
  EXPECT_EQ(sample.get(Metric::memory_some), 123U);
  EXPECT_EQ(sample.get(Metric::memory_full), 45U);
}

TEST(Parse, ForgetsWhatItDoesNotUnderstandAndWhatWasThereBefore) {
  const std::pair<Source, const char*> bad[] = {
      {Source::cpu_stat, "usage_usec x\n"},
      {Source::memory_current, "max\n"},
      {Source::memory_current, "1 2\n"},
      {Source::memory_current, ""},
      {Source::io_stat, "rbytes=1\n"},
      {Source::io_stat, "8:0 rbytes=x\n"},
      {Source::cpu_pressure, "some total=1\nfull\n"},
      {Source::cpu_pressure, "none total=1\n"},
      {Source::cgroup_events, "populated\n"},
      {Source::cpu_max, "max\n"},
      {Source::cpu_max, "1000 0\n"},
      {Source::cpu_max, "18446744073709551614 1\n"},
      {Source::memory_max, "maximum\n"},
      {Source::memory_high, ""},
  };
  for (const auto& [source, text] : bad) {
    Sample sample;
    const Metric first = metrics_of(source).front().metric;
    sample.set(first, 7);
    EXPECT_FALSE(parse(source, text, sample)) << text;
    EXPECT_FALSE(sample.get(first)) << text;
  }
}

TEST(Parse, TakesALimitOfTheCpuAsTimePerSecond) {
  EXPECT_EQ(parsed(Source::cpu_max, "20000 100000\n").get(Metric::cpu_limit), 200'000U);
  EXPECT_EQ(parsed(Source::cpu_max, "75000 50000\n").get(Metric::cpu_limit), 1'500'000U);
  EXPECT_EQ(parsed(Source::cpu_max, "max 100000\n").get(Metric::cpu_limit), kNoLimit);
  EXPECT_EQ(parsed(Source::memory_max, "max\n").get(Metric::memory_max_limit), kNoLimit);
  EXPECT_EQ(parsed(Source::memory_high, "4096\n").get(Metric::memory_high_limit), 4096U);
}

TEST(ParseHost, TakesTicksAsMicroseconds) {
  Sample sample;
  ASSERT_TRUE(parse_host(Source::cpu_stat, "cpu  100 10 50 9000 7 1 2 30 0 0\ncpu0 1 2 3\n", 100, sample));
  EXPECT_EQ(sample.get(Metric::cpu_usage), 1'630'000U);
  EXPECT_EQ(sample.get(Metric::cpu_steal), 300'000U);
}

TEST(ParseHost, TakesWhatIsNotAvailableAsUsed) {
  Sample sample;
  ASSERT_TRUE(parse_host(Source::memory_current,
                         "MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     400 kB\n", 100, sample));
  EXPECT_EQ(sample.get(Metric::memory_current), 600U * 1024);
  EXPECT_FALSE(parse_host(Source::memory_current, "MemTotal: 1000 kB\n", 100, sample));
  ASSERT_TRUE(parse_host(Source::memory_max, "MemTotal: 1000 kB\n", 100, sample));
  EXPECT_EQ(sample.get(Metric::memory_max_limit), 1'024'000U);
}

}  // namespace
}  // namespace weir::sample
