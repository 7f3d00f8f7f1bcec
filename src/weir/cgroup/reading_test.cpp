// SPDX-License-Identifier: MIT
#include "weir/cgroup/reading.h"

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

namespace weir::cgroup {
namespace {

using testing::FakeCgroupfs;
using testing::HasError;
using testing::Succeeds;

TEST(Reader, TakesLimitsUsageAndWhatHolds) {
  FakeCgroupfs fs({{"pod", {{"cpu.max", "20000 100000\n"}, {"memory.max", "1073741824\n"}}},
                   {"pod/web",
                    {{"cpu.max", "50000 100000\n"},
                     {"memory.max", "536870912\n"},
                     {"memory.current", "4096\n"},
                     {"pids.current", "3\n"},
                     {"cpu.stat", "usage_usec 7\nnr_periods 10\nnr_throttled 0\nthrottled_usec 0\n"},
                     {"cpu.stat.local", "throttled_usec 900\n"},
                     {"memory.events", "low 0\nhigh 0\nmax 1\noom 1\noom_kill 1\n"}}}});
  const auto root = fs.root();
  const auto reading = Reader(*root).read("/pod/web");
  ASSERT_THAT(reading, Succeeds());
  EXPECT_EQ(reading->held.cpu_max->holder, "/pod");
  EXPECT_EQ(to_kernel(reading->held.cpu_max->value), "20000 100000");
  EXPECT_EQ(to_kernel(*reading->limits.cpu_max), "50000 100000");
  EXPECT_EQ(reading->held.memory_max->holder, "/pod/web");
  EXPECT_EQ(reading->held.memory_high->holder, "");
  EXPECT_EQ(reading->usage.memory, Bytes(4096));
  EXPECT_EQ(reading->usage.pids, 3U);
  EXPECT_EQ(reading->usage.throttled_local, Micros(900));
  EXPECT_EQ(reading->usage.memory_events.oom_kill, 1U);
  EXPECT_TRUE(reading->pressures.io.some);
}

TEST(Reader, CountsNothingThatAControllerWhichIsOffDoesNotCount) {
  FakeCgroupfs fs({{"web", {}}});
  fs.set("/", "cgroup.subtree_control", "pids");
  const auto root = fs.root();
  const auto reading = Reader(*root).read("/web");
  ASSERT_THAT(reading, Succeeds());
  EXPECT_EQ(reading->limits.cpu_max, std::nullopt);
  EXPECT_FALSE(reading->held.cpu_max);
  EXPECT_FALSE(reading->held.memory_max);
  EXPECT_EQ(reading->usage.memory, std::nullopt);
  EXPECT_EQ(reading->usage.throttled_local, std::nullopt);
  EXPECT_EQ(reading->usage.cpu.nr_periods, std::nullopt);
  EXPECT_EQ(reading->usage.cpu.usage, Micros(0));
  EXPECT_EQ(reading->usage.pids, 0U);
}

TEST(Reader, AChildWithoutTheControllerIsHeldByItsParent) {
  FakeCgroupfs fs({{"web", {{"cpu.max", "20000 100000\n"}}}, {"web/child", {}}});
  fs.set("web", "cgroup.subtree_control", "");
  fs.set("web", "cpu.stat.local", "throttled_usec 5\n");
  const auto root = fs.root();
  const auto reading = Reader(*root).read("/web/child");
  ASSERT_THAT(reading, Succeeds());
  EXPECT_EQ(reading->limits.cpu_max, std::nullopt);
  EXPECT_EQ(reading->held.cpu_max->holder, "/web");
  EXPECT_EQ(reading->usage.throttled_local, Micros(5));
  EXPECT_EQ(Reader(*root).read_cpu("/web/child")->throttled_local, Micros(5));
}

TEST(Reader, AgreesWithTheOneByOneFunctions) {
  FakeCgroupfs fs({{"a", {{"cpu.max", "50000 100000\n"}, {"pids.max", "7\n"}}},
                   {"a/b", {{"cpu.max", "50000 100000\n"}}}});
  const auto root = fs.root();
  const auto reading = Reader(*root).read("/a/b");
  ASSERT_THAT(reading, Succeeds());
  EXPECT_EQ(reading->held.cpu_max->holder, effective_cpu_max(*root, "/a/b")->holder);
  EXPECT_EQ(reading->held.pids_max->holder, effective_pids_max(*root, "/a/b")->holder);
}

TEST(Reader, SaysWhenTheCgroupIsNotThere) {
  FakeCgroupfs fs({{"a", {}}});
  const auto root = fs.root();
  EXPECT_THAT(Reader(*root).read("/b"), HasError(ErrorKind::absent));
  EXPECT_THAT(Reader(*root).read_cpu("/a/b/c"), HasError(ErrorKind::absent));
  EXPECT_THAT(Reader(*root).read("/../a"), HasError(ErrorKind::invalid));
}

}  // namespace
}  // namespace weir::cgroup
