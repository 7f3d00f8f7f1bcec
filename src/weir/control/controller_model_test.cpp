// SPDX-License-Identifier: MIT
// The Controller with a policy that asks a model: in shadow, for some, for all.
#include <gmock/gmock.h>

#include "support/control_host.h"

#include "weir/control/controller.h"

namespace weir::control {
namespace {

using policy::Resource;

/// Suggests that share of the hard limit.
learn::Model suggests(double share) {
  learn::Predictor predictor{
      .resource = "cpu", .form = learn::Linear{.weights = {}, .intercept = share}, .rows = 600};
  predictor.least.fill(0);
  predictor.most.fill(2);
  return learn::Model::make({.id = "m1"}, {std::move(predictor)}).value();
}
/// A container at its soft limit, under a model that suggests 1.6 CPUs; its raise.
struct Modelled {
  explicit Modelled(MlMode mode, double canary_share = 0)
      : host({.entries = {entry("web", cpu_of(kBounds, "learned"))},
              .ml_mode = mode,
              .canary_share = canary_share}) {
    host.controller().use(&model);
    host.start(0, idle);
    host.run(2);
    action = host.controller().wake(host.id(), Resource::cpu, host.moment()).at(0);
  }
  learn::Model model = suggests(0.8);
  ControlHost host;
  Action action;
};

TEST(Controller, InShadowAModelIsOnlyAsked) {
  const Modelled web(MlMode::shadow);
  EXPECT_EQ(web.action.decision.limit, 0.75);
  ASSERT_TRUE(web.action.suggestion.has_value());
  EXPECT_DOUBLE_EQ(web.action.suggestion->limit, 1.6);
  EXPECT_EQ(web.action.suggestion->mode, MlMode::shadow);
}

TEST(Controller, AnActiveModelDecidesAndSaysSo) {
  const Modelled web(MlMode::active);
  EXPECT_DOUBLE_EQ(web.action.decision.limit, 1.6);
  EXPECT_EQ(web.action.suggestion->step_would, 0.75);
  const auto says = [](const Event& event, std::string_view name) {
    return std::ranges::any_of(event.details, [&](const auto& each) { return each.first == name; });
  };
  EXPECT_TRUE(says(to_event(web.action, {}), "model"));
  const Event event = to_ml_event(web.action, {});
  EXPECT_EQ(event.kind, EventKind::ml_adjustment);
  for (const char* name : {"mode", "suggested", "step_would", "held", "available"})
    EXPECT_TRUE(says(event, name)) << name;
}

TEST(Controller, ACanaryIsAShareOfTheContainers) {
  const Modelled all(MlMode::canary, 1), none(MlMode::canary, 0);
  EXPECT_EQ(all.action.suggestion->mode, MlMode::canary);
  EXPECT_DOUBLE_EQ(all.action.decision.limit, 1.6);
  EXPECT_EQ(none.action.suggestion->mode, MlMode::shadow);
  EXPECT_EQ(none.action.decision.limit, 0.75);
}

TEST(Controller, WithoutAModelThePolicyThatAsksOneDecidesAsStep) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds, "learned"))}, .ml_mode = MlMode::active});
  host.start(0, idle);
  host.run(2);
  const Action action = host.controller().wake(host.id(), Resource::cpu, host.moment()).at(0);
  EXPECT_EQ(action.decision.limit, 0.75);
  EXPECT_FALSE(action.suggestion.has_value());
}

}  // namespace
}  // namespace weir::control
