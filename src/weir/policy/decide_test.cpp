// SPDX-License-Identifier: MIT
#include "weir/policy/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace weir::policy {
namespace {

/// Half a CPU of two, held back by nothing and used by a tenth.
View calm() {
  return {.limit = 0.5,
          .hard = 2,
          .floor = 0.1,
          .step = 0.25,
          .cooldown = 1,
          .use = 0.05,
          .peak = 0.05,
          .since_raise = 60,
          .since_change = 60,
          .calm = 60,
          .available = 2};
}
View throttled() {
  View view = calm();
  view.use = view.peak = 0.5;
  view.held = 0.4;
  view.pressure = 0.4;
  view.calm = 0;
  return view;
}
Decision by_step(const View& view) {
  const Policy& step = *find_policy("step");
  return decide(view, step, defaults_of(step));
}

TEST(Decide, RaisesByAStepWhatItsOwnLimitHoldsBack) {
  const Decision decision = by_step(throttled());
  EXPECT_EQ(decision, (Decision{.verdict = Verdict::raise, .cause = Cause::own_limit, .limit = 0.75}));
}

TEST(Decide, RaisesAtOnceWhenTheKernelTells) {
  View view = calm();
  view.woken = 1;
  view.use = 0.5;
  EXPECT_EQ(by_step(view).verdict, Verdict::raise);
}

TEST(Decide, CountsAStepAsOneWhateverItsLastDigits) {
  View view = throttled();
  view.limit = 0.4;
  view.step = 0.1;
  EXPECT_EQ(by_step(view).verdict, Verdict::raise);
}

TEST(Decide, NeverGoesPastTheHardLimitAndThenTells) {
  View view = throttled();
  view.limit = 1.9;
  EXPECT_EQ(by_step(view).limit, 2);
  view.limit = 2;
  EXPECT_EQ(by_step(view), (Decision{.verdict = Verdict::at_hard, .cause = Cause::own_limit, .limit = 2}));
}

TEST(Decide, BringsBackWhatIsOutOfItsBounds) {
  View view = calm();
  view.limit = std::numeric_limits<double>::infinity();
  EXPECT_EQ(by_step(view).limit, 2);
  view.limit = 0.01;
  EXPECT_EQ(by_step(view).limit, 0.1);
}

TEST(Decide, RaisesOnceACooldown) {
  View view = throttled();
  view.since_raise = 0.9;
  EXPECT_EQ(by_step(view).verdict, Verdict::keep);
  view.since_raise = 1;
  EXPECT_EQ(by_step(view).verdict, Verdict::raise);
}

TEST(Decide, DoesNotRaiseWhatALimitAboveHolds) {
  View view = throttled();
  view.held = 0;
  view.held_above = 0.4;
  EXPECT_EQ(by_step(view).verdict, Verdict::keep);  // by step there is nothing to raise for
  view.woken = 1;
  EXPECT_EQ(by_step(view),
            (Decision{.verdict = Verdict::refused, .cause = Cause::limit_above, .limit = 0.5}));
  View capped = throttled();
  capped.limit_above = 0.5;
  EXPECT_EQ(by_step(capped).cause, Cause::limit_above);
}

TEST(Decide, DoesNotRaisePastALimitAbove) {
  View view = throttled();
  view.limit_above = 0.7;
  view.step = 0.15;
  EXPECT_EQ(by_step(view).limit, 0.65);
  view.limit_above = 0.55;
  EXPECT_EQ(by_step(view).verdict, Verdict::refused);
}

TEST(Decide, DoesNotRaiseForTimeLostToOthers) {
  View view = throttled();
  view.held = 0.1;
  view.contention = 0.6;
  EXPECT_EQ(by_step(view), (Decision{.verdict = Verdict::refused, .cause = Cause::contention, .limit = 0.5}));
}

TEST(Decide, TakesNoMoreThanTheHostHasLeft) {
  View view = throttled();
  view.available = 0.1;
  EXPECT_EQ(by_step(view), (Decision{.verdict = Verdict::refused, .cause = Cause::budget, .limit = 0.5}));
  view.available = 0.3;
  EXPECT_EQ(by_step(view).limit, 0.75);
}

TEST(Decide, LowersToItsUseOnlyWhenItHasBeenCalm) {
  EXPECT_EQ(by_step(calm()).verdict, Verdict::lower);
  EXPECT_EQ(by_step(calm()).limit, 0.1);
  View view = calm();
  view.calm = 1;
  EXPECT_EQ(by_step(view).verdict, Verdict::keep);
  view = calm();
  view.since_raise = 1.5;
  EXPECT_EQ(by_step(view).verdict, Verdict::keep);
}

TEST(Decide, LeavesWhatIsNotWorthAStep) {
  View view = calm();
  view.use = view.peak = 0.4;
  EXPECT_EQ(by_step(view).verdict, Verdict::keep);
}

TEST(Decide, TakesNoNumberThatIsNone) {
  const Policy wrong{.name = "wrong",
                     .about = "",
                     .parameters = {},
                     .propose = [](const View&, std::span<const double>, const learn::Model*) {
                       return std::numeric_limits<double>::quiet_NaN();
                     }};
  EXPECT_EQ(decide(throttled(), wrong, {}).verdict, Verdict::keep);
}

TEST(Policies, StayWithinBoundsWhateverTheySee) {
  for (const Policy& policy : policies())
    for (const double limit : {0.1, 0.5, 2.0})
      for (const double held : {0.0, 0.03, 0.5, 1.0})
        for (const double use : {0.0, 0.3, 5.0})
          for (const double woken : {0.0, 1.0}) {
            View view = calm();
            view.limit = limit;
            view.held = view.pressure = held;
            view.use = view.peak = view.p50 = view.p90 = view.p95 = view.p99 = use;
            view.woken = woken;
            const Decision decision = decide(view, policy, defaults_of(policy));
            EXPECT_GE(decision.limit, view.floor) << policy.name;
            EXPECT_LE(decision.limit, view.hard) << policy.name;
          }
}

TEST(Step, DoublesWhileItStaysHeld) {
  View view = throttled();
  view.step = 0.1;
  view.cooldown = 0.5;
  const auto raised_by = [&](double held_for) {
    view.held_for = held_for;
    return by_step(view).limit - view.limit;
  };
  EXPECT_NEAR(raised_by(0.4), 0.1, 1e-9);
  EXPECT_NEAR(raised_by(0.6), 0.2, 1e-9);
  EXPECT_NEAR(raised_by(1.1), 0.4, 1e-9);
  EXPECT_NEAR(raised_by(60), 0.4, 1e-9);
}

double by_pressure(const View& view) {
  const Policy& policy = *find_policy("pressure");
  return decide(view, policy, defaults_of(policy)).limit;
}
/// Half a CPU, the last change `since` seconds ago; at most a fiftieth of the time may be waited.
View waits(double share, double since) {
  View view = calm();
  view.step = 0.05;
  view.pressure = share;
  view.since_change = view.since_raise = since;
  return view;
}

TEST(Pressure, GoesDownByAStepEveryTwoCooldownsWhileNobodyWaits) {
  EXPECT_EQ(by_pressure(waits(0, 1.9)), 0.5);
  EXPECT_DOUBLE_EQ(by_pressure(waits(0, 2.1)), 0.45);
}

TEST(Pressure, GoesDownTheSlowerTheNearerItIsToItsTarget) {
  EXPECT_EQ(by_pressure(waits(0.01, 3.9)), 0.5);
  EXPECT_DOUBLE_EQ(by_pressure(waits(0.01, 4.1)), 0.45);
  EXPECT_EQ(by_pressure(waits(0.02, 3600)), 0.5);
}

TEST(Pressure, GoesUpByHowFarItIsAbove) {
  View view = waits(0.03, 60);
  view.held = 0.03;
  EXPECT_DOUBLE_EQ(by_pressure(view), 0.55);
  view.held = view.pressure = 0.2;
  EXPECT_DOUBLE_EQ(by_pressure(view), 0.7);
}

TEST(Pressure, LeavesWhatIsUsedButForMemoryWhichMayNotBeNeeded) {
  View view = waits(0, 60);
  view.use = 0.48;
  EXPECT_EQ(by_pressure(view), 0.5);
  view.resource = Resource::memory;
  EXPECT_DOUBLE_EQ(by_pressure(view), 0.45);
}

TEST(Percentile, KeepsItsMarginAboveThePercentile) {
  const Policy& policy = *find_policy("percentile");
  View view = calm();
  view.p95 = 0.4;
  view.peak = 0.8;
  EXPECT_DOUBLE_EQ(policy.propose(view, Parameters{95, 0.25}, nullptr), 0.5);
  EXPECT_DOUBLE_EQ(policy.propose(view, Parameters{100, 0.25}, nullptr), 1.0);
}

/// 0.4 CPUs of one, with a kernel that lets it burst, hit just now.
View bursty() {
  View view = calm();
  view.limit = 0.4;
  view.hard = 1;
  view.step = 0.1;
  view.use = 0.2;
  view.held = 0.1;
  view.woken = 1;
  view.calm = 0;
  view.burst_most = 0.4;
  view.weight = view.weight_before = 100;
  return view;
}
View calm_and_bursty() {
  View view = bursty();
  view.held = view.woken = 0;
  view.use = view.peak = 0.39;
  view.burst = 0.4;
  view.calm = 60;
  return view;
}
Decision by_burst(const View& view) {
  const Policy& burst = *find_policy("burst");
  return decide(view, burst, defaults_of(burst));
}

TEST(Burst, IsRaisedBeforeTheLimit) {
  EXPECT_EQ(
      by_burst(bursty()),
      (Decision{
          .verdict = Verdict::raise, .cause = Cause::own_limit, .limit = 0.4, .burst = 0.4, .weight = 100}));
}

TEST(Burst, IsOfNoUseToAUseThatStaysAtTheLimit) {
  View view = bursty();
  view.use = 0.4;
  view.held = 0.5;
  view.held_for = 0.6;
  const Decision decision = by_burst(view);
  EXPECT_EQ(decision.limit, 0.5);
  EXPECT_EQ(decision.burst, 0);
}

TEST(Burst, ThatDoesNotDoIsFollowedByARaise) {
  View view = bursty();
  view.burst = 0.4;
  EXPECT_EQ(by_burst(view).limit, 0.5);
  view.since_raise = 1.1;  // what is seen may be of before
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
  view.since_raise = 60;
  view.held = 0;  // just hit, and not for long
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
}

TEST(Burst, MakesRoomBelowTheHardLimit) {
  View view = bursty();
  view.limit = 0.7;
  view.use = 0.7;
  view.burst = view.burst_most = 0.3;
  const Decision decision = by_burst(view);
  EXPECT_NEAR(decision.limit, 0.8, 1e-9);
  EXPECT_NEAR(decision.burst, 0.2, 1e-9);
  view.limit = 1.2;  // someone else set that
  EXPECT_EQ(
      by_burst(view),
      (Decision{.verdict = Verdict::lower, .cause = Cause::bounds, .limit = 1, .burst = 0, .weight = 100}));
}

TEST(Burst, IsNeverMoreThanTheLimitThatGoesDown) {
  View view = calm_and_bursty();
  view.use = view.peak = 0.1;
  const Decision decision = by_burst(view);
  EXPECT_EQ(decision.verdict, Verdict::lower);
  EXPECT_NEAR(decision.limit, 0.115, 1e-9);
  EXPECT_EQ(decision.burst, decision.limit);
}

TEST(Burst, WeighsMoreWhereOthersUseTheCpus) {
  View view = bursty();
  view.held = view.woken = 0;
  view.contention = view.pressure = 0.4;
  const Decision decision = by_burst(view);
  EXPECT_EQ(decision.verdict, Verdict::raise);
  EXPECT_EQ(decision.cause, Cause::contention);
  EXPECT_EQ(decision.weight, 200);
  EXPECT_EQ(decision.limit, 0.4);
  view.weight = 400;
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
  view.weight = view.weight_before = 900;  // more than the parameter, and not ours
  EXPECT_EQ(by_burst(view).weight, 900);
}

TEST(Burst, GoesAfterTheWeightThatGoesAfterTheLimit) {
  View view = calm_and_bursty();
  view.weight = 200;
  Decision decision = by_burst(view);
  EXPECT_EQ(decision.verdict, Verdict::lower);
  EXPECT_EQ(decision.weight, 100);
  EXPECT_EQ(decision.burst, 0.4);
  view.weight = 100;
  decision = by_burst(view);
  EXPECT_EQ(decision.verdict, Verdict::lower);
  EXPECT_EQ(decision.burst, 0);
  view.burst = 0;
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
}

TEST(Burst, StaysWhileItWasNeededOfLate) {
  View view = calm_and_bursty();
  view.calm = 20;
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
}

TEST(Burst, WaitsForItsCooldown) {
  View view = bursty();
  view.since_raise = view.since_change = 0.5;
  EXPECT_EQ(by_burst(view).verdict, Verdict::keep);
}

TEST(Burst, IsStepWhereTheKernelHasNoBursts) {
  View view = bursty();
  view.burst_most = 0;
  EXPECT_EQ(by_burst(view).limit, by_step(view).limit);
  view.resource = Resource::memory;
  EXPECT_EQ(by_burst(view).limit, by_step(view).limit);
}

TEST(Burst, OfAnyViewIsWithinTheHardLimit) {
  for (const double limit : {0.05, 0.1, 0.4, 0.5, 0.8, 1.0, 2.0})
    for (const double burst : {0.0, 0.2, 0.4, 1.0})
      for (const double held : {0.0, 0.1, 0.9}) {
        View view = bursty();
        view.limit = limit;
        view.burst = burst;
        view.burst_most = std::max(0.0, std::min(limit, view.hard - limit));
        view.held = held;
        const Decision decision = by_burst(view);
        EXPECT_LE(decision.limit + decision.burst, 1 + 1e-9) << limit << " " << burst << " " << held;
        EXPECT_LE(decision.burst, decision.limit);
      }
}

}  // namespace
}  // namespace weir::policy
