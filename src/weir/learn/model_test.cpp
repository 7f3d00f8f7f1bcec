// SPDX-License-Identifier: MIT
#include "weir/learn/model.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"
#include <limits>

namespace weir::learn {
namespace {

using testing::HasError;

Features all(double value) {
  Features features;
  features.fill(value);
  return features;
}

Predictor line(std::string resource, double intercept, double margin) {
  Predictor predictor{.resource = std::move(resource),
                      .form = Linear{.weights = {}, .intercept = intercept},
                      .margin = margin,
                      .least = all(0),
                      .most = all(1),
                      .rows = 600};
  std::get<Linear>(predictor.form).weights[1] = 0.5;
  return predictor;
}

/// Below 0.5 of the second feature one leaf, else another.
Tree stump() {
  return {.nodes = {{.threshold = 0.5F, .feature = 1, .below = ~0, .above = ~1}},
          .leaves = {{.mean = 0.125F, .high = 0.25F}, {.mean = 0.75F, .high = 0.875F}}};
}

Predictor forest(Forest trees) {
  return {.resource = "cpu", .form = std::move(trees), .least = all(0), .most = all(1), .rows = 600};
}

TEST(Model, AddsUpALineAndItsMargin) {
  const Model model = Model::make({}, {line("cpu", 0.25, 0.125)}).value();
  const auto suggestion = model.suggest("cpu", all(0.5));
  ASSERT_TRUE(suggestion.has_value());
  EXPECT_EQ(*suggestion, (Suggestion{.expected = 0.5, .safe = 0.625}));
}

TEST(Model, AddsAnotherMarginWhereTheLimitHoldsItBack) {
  Predictor predictor = line("cpu", 0.25, 0.125);
  Features held = all(0);
  held[feature_index("held")] = 0.5;
  EXPECT_EQ(predictor.suggest(held)->safe, 0.375);
  predictor.margin_held = 0.25;
  EXPECT_EQ(predictor.suggest(held)->safe, 0.5);
  EXPECT_EQ(predictor.suggest(all(0))->safe, 0.375);
  held[feature_index("held")] = 0;
  held[feature_index("woken")] = 1;
  EXPECT_EQ(predictor.suggest(held)->safe, 0.5);
}

TEST(Model, MeansWhatItsTreesSay) {
  Tree alone{.nodes = {}, .leaves = {{.mean = 0.25F, .high = 0.25F}}};
  const Model model = Model::make({}, {forest({stump(), alone})}).value();
  EXPECT_EQ(*model.suggest("cpu", all(0.25)), (Suggestion{.expected = 0.1875, .safe = 0.25}));
  EXPECT_EQ(*model.suggest("cpu", all(0.5)), (Suggestion{.expected = 0.5, .safe = 0.5625}));
}

TEST(Model, StaysBetweenNothingAndTheHardLimitAndSafeIsNeverBelowExpected) {
  EXPECT_EQ(*Model::make({}, {line("cpu", 3, 1)})->suggest("cpu", all(0)), (Suggestion{1, 1}));
  EXPECT_EQ(*Model::make({}, {line("cpu", -3, -1)})->suggest("cpu", all(0)), (Suggestion{0, 0}));
  EXPECT_EQ(*Model::make({}, {line("cpu", 0.5, -0.25)})->suggest("cpu", all(0)), (Suggestion{0.5, 0.5}));
}

TEST(Model, DoesNotAnswerWhatItWasNotFittedOn) {
  const Model model = Model::make({}, {line("cpu", 0, 0)}).value();
  EXPECT_EQ(model.suggest("memory", all(0.5)), std::nullopt);
  EXPECT_EQ(model.suggest("cpu", all(1.2)), std::nullopt);
  EXPECT_EQ(model.suggest("cpu", all(std::numeric_limits<double>::quiet_NaN())), std::nullopt);
  EXPECT_EQ(model.suggest("cpu", all(-std::numeric_limits<double>::infinity())), std::nullopt);
}

TEST(Model, RefusesWhatCouldNotBeAskedSafely) {
  const auto broken = [](auto change) {
    Tree tree = stump();
    change(tree);
    return Model::make({}, {forest({tree})});
  };
  EXPECT_THAT(broken([](Tree& tree) { tree.leaves.clear(); }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Tree& tree) { tree.nodes[0].below = 0; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Tree& tree) { tree.nodes[0].above = 1; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Tree& tree) { tree.nodes[0].above = ~2; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Tree& tree) { tree.nodes[0].feature = 18; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Tree& tree) { tree.leaves[0].mean = std::numeric_limits<float>::infinity(); }),
              HasError(ErrorKind::invalid));
  EXPECT_THAT(Model::make({}, {forest({})}), HasError(ErrorKind::invalid));
  EXPECT_THAT(Model::make({}, {forest(Forest(Model::kMostTrees + 1, stump()))}),
              HasError(ErrorKind::invalid));
  EXPECT_THAT(Model::make({}, {}), HasError(ErrorKind::invalid));
  EXPECT_THAT(Model::make({}, {line("cpu", 0, 0), line("cpu", 0, 0)}), HasError(ErrorKind::invalid));
  EXPECT_THAT(Model::make({}, {line("cpu", std::numeric_limits<double>::quiet_NaN(), 0)}),
              HasError(ErrorKind::invalid));
}

TEST(Model, RefusesATreeThatIsDeeperThanItsBound) {
  Tree chain;
  chain.leaves = {{}};
  for (std::int32_t n = 0; n < static_cast<std::int32_t>(Model::kDeepest); ++n)
    chain.nodes.push_back({.below = ~0, .above = n + 1});
  chain.nodes.back().above = ~0;
  EXPECT_TRUE(Model::make({}, {forest({chain})}).has_value());
  chain.nodes.back().above = static_cast<std::int32_t>(chain.nodes.size());
  chain.nodes.push_back({.below = ~0, .above = ~0});
  EXPECT_THAT(Model::make({}, {forest({chain})}), HasError(ErrorKind::invalid));
}

}  // namespace
}  // namespace weir::learn
