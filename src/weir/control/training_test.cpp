// SPDX-License-Identifier: MIT
#include "weir/control/training.h"

#include <gmock/gmock.h>

#include <random>

#include "weir/base/json.h"

namespace weir::control {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// One line of samples: what `use` was, and what was needed of a hard limit of 2.
std::string line(std::size_t second, double use, double needed, std::string_view resource = "cpu") {
  Json view = Json::object();
  for (const policy::Field& field : policy::kFields) view[std::string(field.name)] = 0.0;
  view["limit"] = 1.5;
  view["hard"] = 2;
  view["floor"] = 0.1;
  view["step"] = 0.25;
  view["cooldown"] = 1;
  view["use"] = use;
  return dump_json({{"schema", 1},
                    {"time_ns", static_cast<std::int64_t>(1'700'000'000 + second) * 1'000'000'000},
                    {"name", "web"},
                    {"resource", resource},
                    {"policy", "step"},
                    {"parameters", {{"margin", 0.15}, {"calm", 3}}},
                    {"view", view},
                    {"decision", {{"verdict", "keep"}, {"cause", "none"}, {"limit", 1.5}}},
                    {"outcome", {{"looks", 5}, {"most_use", needed}, {"needed", needed}, {"limit", 1.5}}}},
                   -1);
}

/// What is needed is what was used, with some noise and `more`.
TrainingRows rows(std::size_t n, double more, std::string_view resource = "cpu", std::uint32_t seed = 7) {
  std::mt19937 random(seed);
  const auto unit = [&] { return static_cast<double>(random()) / 4294967296.0; };
  TrainingRows all;
  for (std::size_t at = 0; at < n; ++at) {
    const double use = unit();
    all.take(line(at, use, use * (1 + more) + 0.1 * unit(), resource));
  }
  return all;
}

const TrainingOptions kQuick{.fit = {.seed = 1, .trees = 4}};

TEST(TrainingRows, AreSharesOfTheHardLimitAndOfWhatStepWouldDo) {
  TrainingRows all;
  all.take(line(1, 0.5, 1.0));
  ASSERT_THAT(all.of(policy::Resource::cpu), SizeIs(1));
  const learn::Row& row = all.of(policy::Resource::cpu)[0];
  EXPECT_EQ(row.last, 0.25);
  EXPECT_EQ(row.needed, 0.5);
  EXPECT_EQ(row.step, 0.75);
  EXPECT_EQ(row.time, std::chrono::seconds(1'700'000'001));
}

TEST(TrainingRows, CountWhatIsNoSample) {
  TrainingRows all;
  all.take(R"({"event":"container_started"})");
  all.take("{");
  Json no_need = Json::parse(line(1, 0.5, 1));
  no_need.erase("outcome");
  all.take(no_need.dump());
  EXPECT_EQ(all.taken(), 0U);
  EXPECT_EQ(all.passed_over(), 2U);
  EXPECT_EQ(all.damaged(), 1U);
}

TEST(TrainModel, LearnsEachResourceOfWhichThereIsEnough) {
  TrainingRows all = rows(600, 0.5);
  for (std::size_t n = 0; n < 10; ++n) all.take(line(n, 0.5, 0.5, "memory"));
  std::vector<std::string> fitted;
  TrainingOptions options = kQuick;
  options.fitting = [&](policy::Resource resource, std::size_t) { fitted.emplace_back(to_string(resource)); };
  const Training training = train_model(all, nullptr, options).value();
  ASSERT_THAT(training.resources, SizeIs(2));
  EXPECT_EQ(training.resources[0].lesson, Lesson::learned);
  EXPECT_EQ(training.resources[1].lesson, Lesson::none);
  EXPECT_THAT(training.resources[1].why, HasSubstr("has 10 samples, 500 are needed"));
  EXPECT_THAT(fitted, ::testing::ElementsAre("cpu"));
  ASSERT_TRUE(training.model.has_value());
  EXPECT_THAT(training.model->predictors(), SizeIs(1));
  EXPECT_THAT(training.model->identity().id, SizeIs(8));
  EXPECT_EQ(training.model->identity().trained, std::chrono::seconds(1'700'000'599));
}

TEST(TrainModel, GivesNoneWhereItBeatsNeitherBaselineUnlessToldTo) {
  TrainingRows all;
  for (std::size_t n = 0; n < 600; ++n) all.take(line(n, 1.5, 1.5));  // as the last value, and as the limit
  EXPECT_EQ(train_model(all, nullptr, kQuick).value().model, std::nullopt);
  EXPECT_EQ(train_model(all, nullptr, kQuick).value().resources.at(0).lesson, Lesson::useless);
  TrainingOptions told = kQuick;
  told.useless = Useless::keep;
  EXPECT_TRUE(train_model(all, nullptr, told).value().model.has_value());
}

TEST(TrainModel, ReplacesAPredictorOnlyByABetterOne) {
  const Training first = train_model(rows(600, 0.5), nullptr, kQuick).value();
  const Training again = train_model(rows(600, 0.5), &*first.model, kQuick).value();
  EXPECT_EQ(again.model, std::nullopt);
  ASSERT_THAT(again.resources, SizeIs(1));
  EXPECT_EQ(again.resources[0].lesson, Lesson::no_better);
  ASSERT_TRUE(again.resources[0].in_force.has_value());
  EXPECT_NEAR(again.resources[0].in_force->quantile_loss, again.resources[0].trained->chosen().quantile_loss,
              1e-6);

  const Training other = train_model(rows(600, 0.1), &*first.model, kQuick).value();
  ASSERT_TRUE(other.model.has_value());
  EXPECT_EQ(other.resources[0].lesson, Lesson::learned);
  EXPECT_NE(other.model->identity().id, first.model->identity().id);
}

TEST(TrainModel, KeepsWhatItKnewOfAnotherResource) {
  const Training first = train_model(rows(600, 0.5, "memory"), nullptr, kQuick).value();
  const Training second = train_model(rows(600, 0.5), &*first.model, kQuick).value();
  ASSERT_TRUE(second.model.has_value());
  EXPECT_THAT(second.model->predictors(), SizeIs(2));
  EXPECT_EQ(*second.model->find("memory"), *first.model->find("memory"));
}

TEST(TrainModel, OfNothingIsNothing) {
  const Training training = train_model({}, nullptr, kQuick).value();
  EXPECT_THAT(training.resources, IsEmpty());
  EXPECT_EQ(training.model, std::nullopt);
}

}  // namespace
}  // namespace weir::control
