// SPDX-License-Identifier: MIT
#include "weir/limits/refill.h"

#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

namespace weir::limits {
namespace {

using std::chrono::milliseconds;
using testing::FakeCgroupfs;
using testing::HasError;
using testing::HasValue;

constexpr cgroup::CpuMax kFifth{.quota = Limit(microseconds(20'000)), .period = milliseconds(100)};

CpuLook after(std::uint64_t periods, milliseconds usage) { return {.periods = periods, .usage = usage}; }

TEST(Refill, WhatWasUsedWithinTheLimitIsNotOwed) {
  EXPECT_EQ(owed(after(10, milliseconds(500)), after(13, milliseconds(560)), kFifth), microseconds(0));
  EXPECT_EQ(owed(after(10, milliseconds(500)), after(13, milliseconds(520)), kFifth), microseconds(0));
}

TEST(Refill, WhatWasUsedBeyondItIsForgivenByTheNextWrite) {
  EXPECT_EQ(owed(after(10, milliseconds(500)), after(11, milliseconds(523)), kFifth), milliseconds(3));
}

TEST(Refill, WithoutALimitThereIsNothingToGive) {
  EXPECT_EQ(owed(after(0, milliseconds(0)), after(0, milliseconds(900)), {}), microseconds(0));
  EXPECT_EQ(most_granted({}, kFifth), microseconds(0));
}

TEST(Refill, AWriteOfUnknownPhaseGivesAtMostTheSmallerQuota) {
  const cgroup::CpuMax half{.quota = Limit(microseconds(50'000)), .period = milliseconds(100)};
  EXPECT_EQ(most_granted(half, kFifth), milliseconds(20));
  EXPECT_EQ(most_granted(kFifth, half), milliseconds(20));
}

TEST(Allowance, CoversAQuotaAtFirstAndThenAShareOfWhatTheLimitAllows) {
  Allowance allowance;
  allowance.grow(std::chrono::seconds(5), kFifth);
  EXPECT_TRUE(allowance.covers(milliseconds(20)));
  EXPECT_FALSE(allowance.covers(microseconds(20'001)));
  allowance.spend(milliseconds(20));
  EXPECT_FALSE(allowance.covers(milliseconds(1)));
  allowance.grow(milliseconds(5250), kFifth);  // a fiftieth of 50 ms
  EXPECT_TRUE(allowance.covers(milliseconds(1)));
  EXPECT_FALSE(allowance.covers(microseconds(1001)));
}

TEST(Allowance, IsSavedUpForAWhileOnly) {
  Allowance allowance;
  allowance.grow(std::chrono::seconds(1), kFifth);
  allowance.grow(std::chrono::hours(1), kFifth);
  EXPECT_TRUE(allowance.covers(milliseconds(80)));
  EXPECT_FALSE(allowance.covers(microseconds(80'001)));
}

TEST(Allowance, ForgetsWhatWasGivenTooMuchAfterAWhile) {
  Allowance allowance;
  allowance.grow(std::chrono::seconds(1), kFifth);
  allowance.spend(std::chrono::seconds(9));
  allowance.grow(std::chrono::seconds(2), kFifth);
  allowance.grow(std::chrono::seconds(23), kFifth);
  EXPECT_TRUE(allowance.covers(milliseconds(1)));
}

TEST(Allowance, WithoutALimitNothingGrows) {
  Allowance allowance;
  allowance.grow(std::chrono::seconds(1), {});
  allowance.grow(std::chrono::seconds(9), {});
  EXPECT_FALSE(allowance.covers(microseconds(1)));
}

TEST(Refill, CountersThatGoBackOrOverflowAreNoCredit) {
  EXPECT_EQ(owed(after(9, milliseconds(90)), after(3, milliseconds(30)), kFifth), microseconds(0));
  EXPECT_EQ(owed(after(0, milliseconds(0)), after(UINT64_MAX, milliseconds(30)), kFifth), microseconds(0));
}

TEST(Refill, ReadsTheKernelsAccount) {
  FakeCgroupfs fs({{"web", {}}});
  fs.set("web", "cpu.stat",
         "usage_usec 7\nuser_usec 3\nsystem_usec 4\nnr_periods 5\nnr_throttled 1\nthrottled_usec 9\n");
  ManualClock clock;
  clock.tick(milliseconds(3));
  const auto file = fs.dir("web")->keep("cpu.stat", cgroup::Access::read);
  EXPECT_THAT(look_at_cpu(**file, clock),
              HasValue(CpuLook{.at = milliseconds(3), .periods = 5, .usage = microseconds(7)}));
}

TEST(Refill, WithoutTheCpuControllerThereIsNoAccount) {
  FakeCgroupfs fs({{"web", {}}});
  fs.set("web", "cpu.stat", "usage_usec 7\nuser_usec 3\nsystem_usec 4\n");
  const auto file = fs.dir("web")->keep("cpu.stat", cgroup::Access::read);
  EXPECT_THAT(look_at_cpu(**file, ManualClock()), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::limits
