// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "weir/policy/decide.h"

namespace weir::policy {
namespace {

/// Half a CPU of two, at its limit.
View throttled() {
  return {.limit = 0.5,
          .hard = 2,
          .floor = 0.1,
          .step = 0.25,
          .cooldown = 1,
          .use = 0.5,
          .peak = 0.5,
          .held = 0.4,
          .since_raise = 60,
          .since_change = 60,
          .available = 2};
}

/// Suggests that share of the hard limit, and as much more to be safe.
learn::Model suggests(double share, double margin) {
  learn::Predictor predictor{.resource = "cpu",
                             .form = learn::Linear{.weights = {}, .intercept = share},
                             .margin = margin,
                             .rows = 600};
  predictor.least.fill(0);
  predictor.most.fill(2);
  return learn::Model::make({}, {std::move(predictor)}).value();
}

double limit_by(const learn::Model* model, const View& view = throttled()) {
  const Policy& learned = *find_policy("learned");
  return decide(view, learned, defaults_of(learned), model).limit;
}

TEST(Learned, GoesWhereTheModelSaysOnTheSafeSide) {
  const learn::Model model = suggests(0.5, 0.125);
  EXPECT_DOUBLE_EQ(limit_by(&model), 1.25);
}

TEST(Learned, GoesUpByAStepAtLeast) {
  const learn::Model model = suggests(0.26, 0);
  EXPECT_DOUBLE_EQ(limit_by(&model), 0.75);
}

TEST(Learned, NeverGoesPastTheHardLimit) {
  const learn::Model model = suggests(0.9, 0.9);
  EXPECT_DOUBLE_EQ(limit_by(&model), 2);
}

TEST(Learned, DecidesAsStepWhereTheModelSaysNothingHigher) {
  const learn::Model model = suggests(0.1, 0);
  EXPECT_DOUBLE_EQ(limit_by(&model), 0.75);
  EXPECT_DOUBLE_EQ(limit_by(nullptr), 0.75);
}

TEST(Learned, DecidesAsStepWhereTheModelKnowsNothing) {
  const learn::Model model = suggests(0.9, 0);
  View view = throttled();
  view.resource = Resource::memory;
  EXPECT_DOUBLE_EQ(limit_by(&model, view), 0.75);
}

TEST(Learned, DoesNotRaiseWhatIsNotHeld) {
  const learn::Model model = suggests(0.9, 0);
  View view = throttled();
  view.held = 0;
  view.use = view.peak = 0.45;
  view.calm = 60;
  EXPECT_DOUBLE_EQ(limit_by(&model, view), 0.5);
}

}  // namespace
}  // namespace weir::policy
