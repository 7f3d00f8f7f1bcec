// SPDX-License-Identifier: MIT
#include "weir/limits/period.h"

#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"

namespace weir::limits {
namespace {

using std::chrono::milliseconds;
using testing::FakeCgroupfs;
using Verdict = Turn::Verdict;

constexpr cgroup::CpuMax kFifth{.quota = Limit(microseconds(20'000)), .period = milliseconds(100)};
constexpr cgroup::CpuMax kTenth{.quota = Limit(microseconds(10'000)), .period = milliseconds(100)};

CpuLook look(milliseconds at, std::uint64_t periods, milliseconds usage) {
  return {.at = at, .periods = periods, .usage = usage};
}

TEST(Turn, WaitsUntilAPeriodBegins) {
  Turn turn(look(milliseconds(0), 7, milliseconds(70)), kFifth, kTenth);
  EXPECT_EQ(turn.see(look(milliseconds(1), 7, milliseconds(71))), Verdict::wait);
  EXPECT_EQ(turn.see(look(milliseconds(60), 7, milliseconds(71))), Verdict::wait);
  EXPECT_EQ(turn.see(look(milliseconds(61), 8, milliseconds(71))), Verdict::begun);
}

TEST(Turn, ARaiseOfAContainerThatStandsStillIsUrgent) {
  Turn turn(look(milliseconds(0), 7, milliseconds(70)), kTenth, kFifth);
  EXPECT_EQ(turn.see(look(milliseconds(5), 7, milliseconds(71))), Verdict::wait);
  EXPECT_EQ(turn.see(look(milliseconds(15), 7, milliseconds(71))), Verdict::wait);
  EXPECT_EQ(turn.see(look(milliseconds(16), 7, milliseconds(71))), Verdict::not_running);
}

TEST(Turn, ACutOfAContainerThatStandsStillIsNot) {
  Turn turn(look(milliseconds(0), 7, milliseconds(70)), kFifth, kTenth);
  EXPECT_EQ(turn.see(look(milliseconds(50), 7, milliseconds(70))), Verdict::wait);
}

TEST(Turn, WaitsNoLongerThanAPeriodAndAQuarter) {
  Turn turn(look(milliseconds(0), 7, milliseconds(70)), kFifth, kTenth);
  EXPECT_EQ(turn.see(look(milliseconds(124), 7, milliseconds(70))), Verdict::wait);
  EXPECT_EQ(turn.see(look(milliseconds(125), 7, milliseconds(70))), Verdict::late);
}

class AwaitTurnTest : public ::testing::Test {
 protected:
  AwaitTurnTest() {
    fs_.set("web", "cpu.stat", "usage_usec 50000\nuser_usec 0\nsystem_usec 50000\nnr_periods 2\n");
    clock_.tick(std::chrono::seconds(5));
  }
  std::optional<Refill> await(const char* before, const char* after, const std::optional<Refill>& last) {
    const Change change{.before = {.text = before}, .after = {.text = after}};
    nanoseconds patience{0};
    return await_turn(*fs_.dir("web"), change, last, clock_, patience);
  }

  FakeCgroupfs fs_{{"web", {}}};
  ManualClock clock_;
};

TEST_F(AwaitTurnTest, TheFirstWriteIsBookedAtTheMostThatItCanGrant) {
  const auto refill = await("20000 100000", "50000 100000", std::nullopt);
  ASSERT_TRUE(refill);
  EXPECT_EQ(refill->granted, milliseconds(20));
  EXPECT_FALSE(refill->exact);
}

TEST_F(AwaitTurnTest, AWriteSoonAfterAnotherIsBookedByTheKernelsAccount) {
  const Refill last{.look = look(milliseconds(4900), 1, milliseconds(27))};
  const auto refill = await("20000 100000", "50000 100000", last);
  ASSERT_TRUE(refill);
  EXPECT_EQ(refill->granted, milliseconds(3));
  EXPECT_TRUE(refill->exact);
}

TEST_F(AwaitTurnTest, OutOfNoLimitNothingIsGranted) {
  const auto refill = await("max 100000", "50000 100000", std::nullopt);
  ASSERT_TRUE(refill);
  EXPECT_EQ(refill->granted, milliseconds(0));
}

TEST_F(AwaitTurnTest, WithoutAnAccountNothingIsBooked) {
  fs_.take_file("web", "cpu.stat");
  EXPECT_FALSE(await("20000 100000", "50000 100000", std::nullopt));
}

}  // namespace
}  // namespace weir::limits
