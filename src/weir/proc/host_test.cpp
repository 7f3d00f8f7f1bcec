// SPDX-License-Identifier: MIT
#include "weir/proc/host.h"

#include "support/result_matchers.h"

#include "weir/proc/kernel_log.h"

namespace weir::proc {
namespace {

using testing::HasError;
using testing::HasValue;
using testing::Succeeds;

TEST(CpuTimes, AddUpTheFirstEightFields) {
  const auto times = parse_cpu_times("cpu  1 2 3 40 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1\ncpu1 1\nintr 5\n");
  ASSERT_THAT(times, Succeeds());
  EXPECT_EQ(times->total, 117U);
  EXPECT_EQ(times->idle, 90U);
  EXPECT_EQ(times->cpus, 2U);
}

TEST(CpuTimes, RefuseWhatIsCutOrNoNumber) {
  for (const std::string_view text : {"", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3", "cpu a b c d e f g h"})
    EXPECT_THAT(parse_cpu_times(text), HasError(ErrorKind::failed)) << text;
}

TEST(BusyShare, IsWhatWasNotIdle) {
  EXPECT_DOUBLE_EQ(*busy_share({.idle = 10, .total = 100}, {.idle = 60, .total = 200}), 0.5);
  EXPECT_DOUBLE_EQ(*busy_share({.idle = 10, .total = 100}, {.idle = 9, .total = 200}), 1.0);
  EXPECT_EQ(busy_share({.idle = 10, .total = 100}, {.idle = 10, .total = 100}), std::nullopt);
}

TEST(Load, IsTheFirstNumber) {
  EXPECT_THAT(parse_load("3.14 2.00 1.00 2/345 6789\n"), HasValue(3.14));
  EXPECT_THAT(parse_load(""), HasError(ErrorKind::failed));
  EXPECT_THAT(parse_load("nan 1 1"), HasError(ErrorKind::failed));
}

constexpr std::string_view kKill =
    "6,812,5301234567,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/system.slice/docker-ab.scope,task_memcg=/system.slice/docker-ab.scope/"
    "x,task=stress,pid=4242,uid=0\n"
    " SUBSYSTEM=memory\n";

TEST(OomRecord, NamesTheProcessItsCgroupAndTheLimit) {
  const auto kill = parse_oom_record(kKill);
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->since_boot, std::chrono::microseconds(5301234567));
  EXPECT_EQ(kill->cgroup, "/system.slice/docker-ab.scope/x");
  EXPECT_EQ(kill->limit_cgroup, "/system.slice/docker-ab.scope");
  EXPECT_EQ(kill->comm, "stress");
  EXPECT_EQ(kill->pid, Pid(4242));
}

TEST(OomRecord, HasNoLimitWhenTheHostIsOutOfMemory) {
  const auto kill = parse_oom_record(
      "6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/"
      ",mems_allowed=0,global_oom,task_memcg=/web,task=a,pid=1,pid=7,uid=0");
  ASSERT_TRUE(kill);
  EXPECT_EQ(kill->limit_cgroup, "");
  EXPECT_EQ(kill->comm, "a,pid=1");
  EXPECT_EQ(kill->pid, Pid(7));
}

TEST(OomRecord, PassesOverEverythingElse) {
  for (const std::string_view text : {"", ";", "6,1,2,-;eth0: link up", "6,1,2,-;oom-kill:constraint=X",
                                      "6,1,x,-;oom-kill:constraint=X,task_memcg=/a,task=b,pid=1,uid=0",
                                      "6,1;oom-kill:constraint=X,task_memcg=/a,task=b,pid=1",
                                      "6,1,2,-;oom-kill:constraint=X,pid=1,task_memcg=/a,task=b",
                                      "6,1,2,-;oom-kill:constraint=X,task_memcg=/a,task=b,pid=99999999999"})
    EXPECT_FALSE(parse_oom_record(text)) << text;
}

}  // namespace
}  // namespace weir::proc
