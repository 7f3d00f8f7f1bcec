// SPDX-License-Identifier: MIT
#include "weir/cgroup/stat.h"

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

namespace weir::cgroup {
namespace {

using testing::FakeCgroupfs;
using testing::HasError;
using testing::Succeeds;

TEST(CpuStat, LeavesOutWhatIsNotCounted) {
  const auto stat =
      parse_cpu_stat("usage_usec 12\nuser_usec 7\nsystem_usec 5\ncore_sched.force_idle_usec 0\n");
  ASSERT_THAT(stat, Succeeds());
  EXPECT_EQ(stat->usage, Micros(12));
  EXPECT_EQ(stat->throttled, std::nullopt);
  EXPECT_EQ(stat->nr_periods, std::nullopt);
}

TEST(CpuStat, ReadsThrottling) {
  const auto stat = parse_cpu_stat(
      "usage_usec 1\nnr_periods 20\nnr_throttled 3\nthrottled_usec 4000000000000\nnr_bursts 0\n");
  ASSERT_THAT(stat, Succeeds());
  EXPECT_EQ(stat->nr_throttled, 3U);
  EXPECT_EQ(stat->throttled, Micros(4'000'000'000'000));
}

TEST(FlatKeyed, RefusesBadLines) {
  for (const std::string_view text : {"usage_usec", "usage_usec ", " 5", "usage_usec -1", "usage_usec 1 2",
                                      "usage_usec 1x", "usage_usec 99999999999999999999", "a 1\n\nb"})
    EXPECT_THAT(parse_flat_keyed(text), HasError(ErrorKind::failed)) << text;
}

TEST(Pressure, ReadsBothLines) {
  const auto pressure = parse_pressure(
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 "
      "total=7\n");
  ASSERT_THAT(pressure, Succeeds());
  EXPECT_DOUBLE_EQ(pressure->some->avg10, 1.5);
  EXPECT_EQ(pressure->some->total, Micros(123456));
  EXPECT_EQ(pressure->full->total, Micros(7));
}

TEST(Pressure, HasNoFullLineOnOldKernelsForTheHostsCpu) {
  const auto pressure = parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
  ASSERT_THAT(pressure, Succeeds());
  EXPECT_TRUE(pressure->some);
  EXPECT_FALSE(pressure->full);
}

TEST(Pressure, RefusesBadLines) {
  for (const std::string_view text :
       {"some", "some avg10=0.00 avg60=0.00 avg300=0.00", "none avg10=0 avg60=0 avg300=0 total=1",
        "some avg10=nan avg60=0.00 avg300=0.00 total=1", "some avg10=-1 avg60=0.00 avg300=0.00 total=1",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=-5", "some avg10 avg60=0.00 avg300=0.00 total=5"})
    EXPECT_THAT(parse_pressure(text), HasError(ErrorKind::failed)) << text;
}

TEST(MemoryEvents, LeavesOutWhatOldKernelsDoNotCount) {
  const auto events = parse_memory_events("low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  ASSERT_THAT(events, Succeeds());
  EXPECT_EQ(events->oom_kill, 4U);
  EXPECT_EQ(events->oom_group_kill, std::nullopt);
}

TEST(IoStat, ReadsDevicesAndPassesOverNewKeys) {
  const auto devices = parse_io_stat(
      "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:0\n8:16 rbytes=9 cost.usage=1 (unknown)\n");
  ASSERT_THAT(devices, Succeeds());
  EXPECT_EQ(devices->at("254:0").wios, 4U);
  EXPECT_EQ(devices->at("8:0").rbytes, 0U);
  EXPECT_EQ(devices->at("8:16").rbytes, 9U);
}

TEST(IoStat, RefusesBadLines) {
  for (const std::string_view text : {"sda rbytes=1", "8:0 rbytes=x", "8:0 rbytes="})
    EXPECT_THAT(parse_io_stat(text), HasError(ErrorKind::failed)) << text;
}

TEST(ReadStats, GoThroughTheDirectory) {
  FakeCgroupfs fs(
      {{"web",
        {{"memory.current", "4096\n"}, {"pids.current", "3\n"}, {"cpu.stat.local", "throttled_usec 9\n"}}}});
  const auto dir = fs.dir("web");
  EXPECT_EQ(*read_memory_current(*dir), Bytes(4096));
  EXPECT_EQ(*read_pids_current(*dir), 3U);
  EXPECT_EQ(read_cpu_stat_local(*dir)->throttled, Micros(9));
  EXPECT_EQ(read_cpu_stat(*dir)->nr_periods, 0U);
  EXPECT_EQ(read_memory_events(*dir)->oom_kill, 0U);
  EXPECT_TRUE(read_pressure(*dir, Resource::io)->some);
  fs.take_file("web", "cpu.stat.local");
  EXPECT_THAT(read_cpu_stat_local(*dir), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::cgroup
