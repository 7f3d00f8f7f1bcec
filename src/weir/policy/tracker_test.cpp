// SPDX-License-Identifier: MIT
#include "weir/policy/tracker.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace weir::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class TrackerTest : public ::testing::Test {
 protected:
  TrackerTest() { tracker_.limit_is(0.5, {}); }
  /// A second in which it used and was held back so much, in microseconds.
  bool second(std::uint64_t used, std::uint64_t throttled, std::uint64_t waited, std::uint64_t above = 0) {
    at_ += milliseconds(1000);
    usage_ += used;
    throttled_ += throttled;
    above_ += throttled + above;
    waited_ += waited;
    Sample sample;
    for (std::int64_t& read : sample.read_at) read = at_.count();
    sample.set(Metric::cpu_usage, usage_);
    sample.set(Metric::cpu_throttled, throttled_);
    sample.set(Metric::cpu_throttled_local, above_);
    sample.set(Metric::cpu_some, waited_);
    return tracker_.see(sample, {.limit_above = 3});
  }
  Tracker tracker_{Resource::cpu, {.soft = 0.5, .hard = 2, .floor = 0.1, .step = 0.1}};
  nanoseconds at_{0};
  std::uint64_t usage_ = 0, throttled_ = 0, above_ = 0, waited_ = 0;
};

TEST_F(TrackerTest, TellsUseAndWhatHeldItBack) {
  EXPECT_FALSE(second(0, 0, 0));
  EXPECT_TRUE(second(500'000, 400'000, 600'000));
  const View view = tracker_.view(at_);
  EXPECT_DOUBLE_EQ(view.use, 0.5);
  EXPECT_DOUBLE_EQ(view.held, 0.4);
  EXPECT_DOUBLE_EQ(view.pressure, 0.6);
  EXPECT_NEAR(view.contention, 0.2, 1e-9);
  EXPECT_EQ(view.limit_above, 3);
  EXPECT_EQ(view.calm, 0);
}

TEST_F(TrackerTest, TellsWhatALimitAboveHeldApart) {
  second(0, 0, 0);
  second(100'000, 0, 800'000, 800'000);
  const View view = tracker_.view(at_);
  EXPECT_EQ(view.held, 0);
  EXPECT_NEAR(view.held_above, 0.8, 1e-9);
  EXPECT_NEAR(view.contention, 0, 1e-9);
}

TEST_F(TrackerTest, KnowsForHowLongItHasBeenHeldWithoutAPause) {
  second(0, 0, 0);
  second(500'000, 400'000, 400'000);
  second(500'000, 400'000, 400'000);
  EXPECT_DOUBLE_EQ(tracker_.view(at_).held_for, 2);
  second(500'000, 0, 0);
  EXPECT_EQ(tracker_.view(at_).held_for, 0);
  second(500'000, 400'000, 400'000);
  EXPECT_DOUBLE_EQ(tracker_.view(at_).held_for, 1);
}

TEST_F(TrackerTest, ForgetsItsPeakAndCountsItsCalm) {
  second(0, 0, 0);
  second(1'000'000, 100'000, 100'000);
  for (int n = 0; n < 4; ++n) second(0, 0, 0);
  const View view = tracker_.view(at_);
  EXPECT_NEAR(view.peak, 0.25, 1e-9);  // two half-lives
  EXPECT_EQ(view.calm, 4);
  EXPECT_EQ(tracker_.view(at_, true).calm, 0);
  EXPECT_EQ(tracker_.view(at_, true).woken, 1);
}

TEST_F(TrackerTest, KnowsThePercentilesOfItsUse) {
  second(0, 0, 0);
  for (int n = 0; n < 100; ++n) second(n % 10 == 0 ? 1'000'000 : 200'000, 0, 0);
  const View view = tracker_.view(at_);
  EXPECT_NEAR(view.p50, 0.2, 2.0 / 64);
  EXPECT_NEAR(view.p95, 1.0, 2.0 / 64);
}

TEST_F(TrackerTest, KnowsSinceWhenALimitIsInForce) {
  tracker_.limit_is(0.8, milliseconds(1000));
  tracker_.limit_is(0.6, milliseconds(3000));
  const View view = tracker_.view(milliseconds(5000));
  EXPECT_EQ(view.limit, 0.6);
  EXPECT_DOUBLE_EQ(view.since_raise, 4);
  EXPECT_DOUBLE_EQ(view.since_change, 2);
}

TEST_F(TrackerTest, ALookThatComesTooSoonChangesNothing) {
  second(0, 0, 0);
  second(500'000, 0, 0);
  Sample again;
  for (std::int64_t& read : again.read_at) read = (at_ + milliseconds(100)).count();
  again.set(Metric::cpu_usage, usage_ + 100'000);
  EXPECT_FALSE(tracker_.see(again, {}));
  EXPECT_DOUBLE_EQ(tracker_.view(at_).use, 0.5);
}

TEST(MemoryTracker, IsHeldOnlyWhereMemoryHighWasHit) {
  Tracker tracker(Resource::memory, {.soft = 100, .hard = 1000, .floor = 10, .step = 10});
  Sample sample;
  const auto look = [&](int n, std::uint64_t high, std::uint64_t waited) {
    for (std::int64_t& read : sample.read_at) read = nanoseconds(std::chrono::seconds(n)).count();
    sample.set(Metric::memory_current, 90);
    sample.set(Metric::memory_high, high);
    sample.set(Metric::memory_some, waited);
    return tracker.see(sample, {});
  };
  look(1, 0, 0);
  look(2, 0, 300'000);
  EXPECT_EQ(tracker.view(nanoseconds(0)).held, 0);
  EXPECT_NEAR(tracker.view(nanoseconds(0)).contention, 0.3, 1e-9);
  look(3, 5, 600'000);
  EXPECT_NEAR(tracker.view(nanoseconds(0)).held, 0.3, 1e-9);
  EXPECT_EQ(tracker.view(nanoseconds(0)).woken, 1);
  EXPECT_EQ(tracker.view(nanoseconds(0)).use, 90);
}

}  // namespace
}  // namespace weir::policy
