// SPDX-License-Identifier: MIT
#include "weir/control/evaluation.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

namespace weir::control {
namespace {

using testing::HasError;
using ::testing::SizeIs;

MlEvent outcome(double held_before, double held_after, double needed, double suggested, double step) {
  return {.kind = held_after < held_before ? MlKind::effective : MlKind::no_improvement,
          .container = "web",
          .resource = "cpu",
          .mode = "active",
          .held_before = held_before,
          .held_after = held_after,
          .needed = needed,
          .suggested = suggested,
          .step_would = step};
}

TEST(ParseMlEvent, ReadsWhatControlTells) {
  const auto event = parse_ml_event(
      R"({"event":"ml_effective","container":{"name":"web"},"resource":"cpu","mode":"canary","model":"1a2b3c4d",)"
      R"("suggested":0.75,"step_would":0.5,"needed":0.6,"held_before":0.3,"held_after":0})");
  ASSERT_TRUE(event.has_value() && event->has_value());
  EXPECT_EQ((*event)->kind, MlKind::effective);
  EXPECT_EQ((*event)->container, "web");
  EXPECT_EQ((*event)->mode, "canary");
  EXPECT_EQ((*event)->needed, 0.6);
  EXPECT_TRUE(parse_ml_event(R"({"event":"ml_fallback","reason":"its file changed"})")->has_value());
}

TEST(ParseMlEvent, PassesOverOtherEventsAndRefusesHalfOnes) {
  EXPECT_FALSE(parse_ml_event(R"({"event":"soft_limit_raised"})")->has_value());
  EXPECT_FALSE(parse_ml_event("[]")->has_value());
  for (const char* bad :
       {"", "{", R"({"event":"ml_adjustment"})",
        R"({"event":"ml_effective","resource":"cpu","mode":"active"})",
        R"({"event":"ml_effective","resource":"cpu","mode":"active","held_before":"much"})"})
    EXPECT_THAT(parse_ml_event(bad), HasError(ErrorKind::invalid)) << bad;
}

TEST(BootstrapMean, HoldsTheMeanAndIsTheSameEachTime) {
  std::vector<double> values;
  for (int n = 0; n < 100; ++n) values.push_back(n % 10);
  const Mean mean = bootstrap_mean(values).value();
  EXPECT_EQ(mean.mean, 4.5);
  EXPECT_GT(mean.low, 3.5);
  EXPECT_LT(mean.low, 4.5);
  EXPECT_GT(mean.high, 4.5);
  EXPECT_LT(mean.high, 5.5);
  EXPECT_EQ(bootstrap_mean(values), mean);
  EXPECT_EQ(bootstrap_mean({0.25}), (Mean{.mean = 0.25, .low = 0.25, .high = 0.25}));
  EXPECT_EQ(bootstrap_mean({}), std::nullopt);
}

TEST(BootstrapMean, IsWiderWhereNeighboursAreAlike) {
  std::vector<double> mixed, alike;
  for (int n = 0; n < 10'000; ++n) {
    mixed.push_back(n % 2);
    alike.push_back(n / 1000 % 2);
  }
  const Mean one = bootstrap_mean(mixed).value(), other = bootstrap_mean(alike).value();
  EXPECT_LT(one.high - one.low, other.high - other.low);
}

TEST(Evaluation, AddsUpByContainerResourceAndMode) {
  Evaluation evaluation;
  for (int n = 0; n < 3; ++n) evaluation.take({.container = "web", .resource = "cpu", .mode = "active"});
  evaluation.take({.container = "web", .resource = "cpu", .mode = "shadow"});
  evaluation.take(outcome(0.5, 0.0, 1, 2, 0.5));
  evaluation.take(outcome(0.25, 0.25, 1, 0.5, 4));
  evaluation.take({.kind = MlKind::fallback, .container = "web", .resource = "cpu", .mode = "active"});
  const auto effects = evaluation.effects();
  ASSERT_THAT(effects, SizeIs(2));
  const Effect& effect = effects.at({"web", "cpu", "active"});
  EXPECT_EQ(effect.adjustments, 3U);
  EXPECT_EQ(effect.effective, 1U);
  EXPECT_EQ(effect.no_improvement, 1U);
  EXPECT_EQ(effect.fallbacks, 1U);
  EXPECT_EQ(effect.held_before->mean, 0.375);
  EXPECT_EQ(effect.held_after->mean, 0.125);
  EXPECT_EQ(effect.suggested.too_low, 0.5);
  EXPECT_EQ(effect.suggested.unused, 0.5);
  EXPECT_EQ(effect.step.too_low, 0.5);
  EXPECT_EQ(effect.step.unused, 0.75);
  EXPECT_EQ(effects.at({"web", "cpu", "shadow"}).held_before, std::nullopt);
}

}  // namespace
}  // namespace weir::control
