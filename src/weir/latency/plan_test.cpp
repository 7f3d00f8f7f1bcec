// SPDX-License-Identifier: MIT
#include "weir/latency/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "weir/latency/estimate.h"

namespace weir::latency {
namespace {

using cgroup::Knob;

PlanOptions small() {
  return {.combinations = {{Method::docker_cli, Knob::cpu_max},
                           {Method::pwrite, Knob::cpu_max},
                           {Method::pwrite, Knob::cpu_weight}},
          .counts = {.direct = 50, .slow = 5, .effect = 3},
          .seed = 9};
}

auto count(const std::vector<Step>& plan, const Step& step) { return std::ranges::count(plan, step); }

TEST(Plan, HasEveryWriteAsOftenAsItWasAskedFor) {
  const auto plan = make_plan(small());
  EXPECT_EQ(count(plan, {Knob::cpu_max, Part::calls, Method::pwrite}), 50);
  EXPECT_EQ(count(plan, {Knob::cpu_max, Part::calls, Method::docker_cli}), 5);
  EXPECT_EQ(count(plan, {Knob::cpu_max, Part::effect, Method::docker_cli}), 3);
  EXPECT_EQ(count(plan, {Knob::memory_max, Part::calls, Method::pwrite}), 0);
}

TEST(Plan, HasNoEffectsOfAWeight) {
  const auto plan = make_plan(small());
  EXPECT_EQ(count(plan, {Knob::cpu_weight, Part::effect, Method::pwrite}), 0);
  EXPECT_EQ(count(plan, {Knob::cpu_weight, Part::calls, Method::pwrite}), 50);
}

TEST(Plan, IsTheSameForTheSameSeedAndAnotherForAnother) {
  PlanOptions other = small();
  other.seed = 10;
  EXPECT_EQ(make_plan(small()), make_plan(small()));
  EXPECT_NE(make_plan(small()), make_plan(other));
}

TEST(Plan, InterleavesTheMethods) {
  const auto plan = make_plan(small());
  const auto slow = [](const Step& step) {
    return step.part == Part::calls && !step.warm_up && step.method == Method::docker_cli;
  };
  const auto first = std::ranges::find_if(plan, slow) - plan.begin();
  const auto last = std::find_if(plan.rbegin(), plan.rend(), slow).base() - plan.begin();
  EXPECT_GT(last - first, 10);
}

TEST(Plan, WarmsUpBeforeItCounts) {
  const auto plan = make_plan(small());
  const auto counted = std::ranges::find(plan, false, &Step::warm_up);
  EXPECT_TRUE(std::all_of(plan.begin(), counted, [](const Step& step) { return step.warm_up; }));
  EXPECT_EQ(counted - plan.begin(), 50 + 2);
}

TEST(Estimate, AddsWhatEachKindOfStepHasCost) {
  const Step cheap{Knob::cpu_max, Part::calls, Method::pwrite};
  const Step dear{Knob::cpu_max, Part::calls, Method::docker_cli};
  const std::vector<Step> plan{cheap, cheap, cheap, dear, dear};
  Estimate estimate(plan);
  estimate.done(cheap, std::chrono::microseconds(10));
  estimate.done(dear, std::chrono::milliseconds(40));
  EXPECT_EQ(estimate.left(), std::chrono::microseconds(2 * 10 + 40'000));
}

TEST(Estimate, GuessesAnUntriedMethodFromTheOthersOfItsSpeed) {
  const Step tried{Knob::cpu_max, Part::calls, Method::runc};
  const Step slow{Knob::cpu_max, Part::calls, Method::docker_cli};
  const Step direct{Knob::cpu_max, Part::calls, Method::pwrite};
  Estimate estimate(std::vector<Step>{tried, slow, direct});
  estimate.done(tried, std::chrono::milliseconds(10));
  EXPECT_EQ(estimate.left(), std::chrono::milliseconds(10));
}

TEST(Estimate, GuessesAnEffectFromTheCallsAndTheWaitingBetween) {
  const Step call{Knob::cpu_max, Part::calls, Method::runc};
  const Step effect{Knob::cpu_max, Part::effect, Method::runc};
  Estimate estimate(std::vector<Step>{call, effect});
  estimate.done(call, std::chrono::milliseconds(10));
  EXPECT_EQ(estimate.left(), std::chrono::milliseconds(620));
}

}  // namespace
}  // namespace weir::latency
