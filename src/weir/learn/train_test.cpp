// SPDX-License-Identifier: MIT
#include "weir/learn/train.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"
#include <algorithm>
#include <cmath>
#include <random>

#include "weir/learn/fit.h"
#include "weir/learn/model_file.h"

namespace weir::learn {
namespace {

using std::chrono::seconds;
using testing::HasError;
using ::testing::HasSubstr;

constexpr TrainOptions kQuick{.seed = 1, .trees = 8};

/// A row a second; `need` says what is needed, by two random features and some noise.
std::vector<Row> rows(std::size_t n, double (*need)(double a, double b)) {
  std::mt19937 random(7);
  const auto unit = [&] { return static_cast<double>(random()) / 4294967296.0; };
  std::vector<Row> all;
  for (std::size_t at = 0; at < n; ++at) {
    Row row{.time = seconds(1'700'000'000 + at)};
    row.features[1] = unit();
    row.features[2] = unit();
    row.needed = std::clamp(need(row.features[1], row.features[2]) + 0.05 * unit(), 0.0, 1.0);
    row.last = row.features[1];
    row.step = 0.9;
    all.push_back(row);
  }
  return all;
}
double sum(double a, double b) { return 0.5 * a + 0.25 * b; }
double steps(double a, double b) { return (a > 0.5) != (b > 0.5) ? 0.75 : 0.125; }

Trained trained(const std::vector<Row>& all, const TrainOptions& options = kQuick) {
  return train("cpu", split_rows("cpu", all, all.size()).value(), options).value();
}

TEST(SplitRows, KeepsTheOutcomesOfAPartOutOfTheNext) {
  std::vector<Row> all = rows(1000, sum);
  std::ranges::reverse(all);
  const Parts parts = split_rows("cpu", all, 1000).value();
  EXPECT_EQ(parts.held_out.size(), 200U);
  for (const auto* part : {&parts.fit, &parts.calibrate, &parts.held_out})
    EXPECT_TRUE(std::ranges::is_sorted(*part, {}, &Row::time));
  EXPECT_GE(parts.calibrate.front().time - parts.fit.back().time, kOutcome);
  EXPECT_GE(parts.held_out.front().time - parts.calibrate.back().time, kOutcome);
}

TEST(SplitRows, KeepsTheNewest) {
  const std::vector<Row> all = rows(2000, sum);
  const Parts parts = split_rows("cpu", all, 1000).value();
  EXPECT_EQ(parts.fit.front().time, all[1000].time);
  EXPECT_EQ(parts.held_out.back().time, all.back().time);
}

TEST(SplitRows, SaysHowManySamplesItNeeds) {
  const auto few = split_rows("cpu", rows(kLeastRows - 1, sum), 1000);
  ASSERT_THAT(few, HasError(ErrorKind::failed));
  EXPECT_THAT(few.error().message(), HasSubstr("cpu: has 499 samples, 500 are needed"));
  EXPECT_TRUE(split_rows("cpu", rows(kLeastRows, sum), 1000).has_value());
}

TEST(SplitRows, RefusesManySamplesOfAMoment) {
  std::vector<Row> all = rows(5000, sum);
  for (std::size_t n = 0; n < all.size(); ++n) all[n].time = std::chrono::milliseconds(n);
  const auto moment = split_rows("cpu", all, 5000);
  ASSERT_THAT(moment, HasError(ErrorKind::failed));
  EXPECT_THAT(moment.error().message(), HasSubstr("5000 samples of only 5 s"));
}

TEST(FitLinear, FindsTheLineThatTheRowsAreOn) {
  std::vector<Row> all = rows(1000, sum);
  for (Row& row : all) row.needed = sum(row.features[1], row.features[2]) + 0.1;
  const Linear linear = fit_linear(all);
  EXPECT_NEAR(linear.weights[1], 0.5, 1e-2);
  EXPECT_NEAR(linear.weights[2], 0.25, 1e-2);
  EXPECT_NEAR(linear.intercept, 0.1, 1e-2);
  EXPECT_EQ(linear.weights[0], 0);  // it never changed
}

TEST(FitForest, EndsOnRowsThatAreAllTheSame) {
  std::vector<Row> all = rows(5000, sum);
  for (Row& row : all) {
    row.features = {};
    row.needed = 0;
  }
  const Forest forest = fit_forest(all, kQuick).value();
  for (const Tree& tree : forest) EXPECT_TRUE(tree.nodes.empty());
  EXPECT_EQ(forest[0].leaves[0], Leaf{});
}

TEST(Train, TakesTheLineWhereTheNeedIsOne) {
  const Trained result = trained(rows(2000, sum));
  EXPECT_TRUE(std::holds_alternative<Linear>(result.predictor.form));
  EXPECT_LT(result.linear.mae, 0.03);
  EXPECT_TRUE(result.beats_step());
  EXPECT_TRUE(result.beats_last());
}

TEST(Train, TakesTheForestWhereNoLineFits) {
  const Trained result = trained(rows(2000, steps));
  EXPECT_TRUE(std::holds_alternative<Forest>(result.predictor.form));
  EXPECT_LT(result.forest.quantile_loss, result.linear.quantile_loss);
  EXPECT_TRUE(result.beats_step());
}

TEST(Train, IsEnoughAboutAsOftenAsItIsMeantToBe) {
  for (const auto need : {sum, steps}) {
    const Trained result = trained(rows(4000, need));
    EXPECT_NEAR(result.linear.under, 1 - kQuantile, 0.05);
    EXPECT_NEAR(result.forest.under, 1 - kQuantile, 0.05);
    EXPECT_NEAR(result.last.under, 1 - kQuantile, 0.05);
  }
}

TEST(Train, IsEnoughAsOftenWhereTheLimitHoldsItBackWhichIsAnotherMatter) {
  std::vector<Row> all = rows(4000, sum);
  for (std::size_t n = 0; n < all.size(); n += 4) {
    Row& row = all[n];
    row.features[feature_index("held")] = 0.5;
    row.raises = true;
    row.needed = std::min(1.0, row.needed + 0.25 * std::fmod(static_cast<double>(n) * 0.618, 1.0));
    row.step = row.features[1];
  }
  const Trained result = trained(all);
  EXPECT_TRUE(result.predictor.margin_held.has_value());
  EXPECT_EQ(result.raises.n, 200U);
  EXPECT_NEAR(result.raises.under, 1 - kQuantile, 0.05);
  EXPECT_LT(result.raises.quantile_loss, result.step_raises.quantile_loss);
}

TEST(Train, BeatsNothingWhereThereIsNothingToLearn) {
  std::vector<Row> all = rows(1000, sum);
  for (Row& row : all) row.needed = row.step = row.last = 0.5;
  const Trained result = trained(all);
  EXPECT_FALSE(result.beats_step());
  EXPECT_FALSE(result.beats_last());
}

TEST(Train, GivesTheSameForTheSameRowsAndSeedAndAnotherForAnother) {
  const std::vector<Row> all = rows(1000, steps);
  EXPECT_EQ(trained(all).predictor, trained(all).predictor);
  EXPECT_NE(trained(all).predictor, trained(all, {.seed = 2, .trees = 8}).predictor);
}

TEST(Train, MakesAModelThatItsFileKeepsToSixDecimals) {
  for (const auto need : {sum, steps}) {
    const Trained result = trained(rows(1000, need));
    const Model model = Model::make({}, {result.predictor}).value();
    const Model back = parse_model(format_model(model)).value();
    const Row row = rows(1, need)[0];
    EXPECT_NEAR(back.suggest("cpu", row.features)->safe, model.suggest("cpu", row.features)->safe, 1e-5);
  }
}

TEST(ScoreOf, CountsTheLimitOfStepWhereThePredictorDoesNotAnswer) {
  std::vector<Row> all = rows(1000, sum);
  const Predictor predictor = trained(all).predictor;
  std::vector<Row> strange(10, all[0]);
  for (Row& row : strange) {
    row.features[1] = 5;
    row.needed = 0.5;
    row.step = 0.75;
  }
  const Score score = score_of(predictor, strange);
  EXPECT_EQ(score.n, 10U);
  EXPECT_EQ(score.unanswered, 10U);
  EXPECT_NEAR(score.mae, 0.25, 1e-9);
  EXPECT_NEAR(score.quantile_loss, 0.025, 1e-9);
  EXPECT_EQ(score.under, 0);
  EXPECT_NEAR(score.excess, 0.25, 1e-9);
}

}  // namespace
}  // namespace weir::learn
