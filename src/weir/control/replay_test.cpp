// SPDX-License-Identifier: MIT
#include "weir/control/replay.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

#include "weir/base/json.h"
#include "weir/control/samples.h"

namespace weir::control {
namespace {

using std::chrono::seconds;
using testing::HasError;

Result<std::optional<Recorded>> parse(std::string_view line) {
  FlatJson json;
  return parse_recorded(line, json);
}

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    managed_.policy = policy::find_policy("step");
    managed_.parameters = {0.2, 1};
  }
  /// A row of one decision, and of what came of it.
  std::string row(double held, double later) {
    Samples samples;
    for (int n = 0; n <= 8; ++n) {
      Action action{.subject = {.container = {.name = "web"}, .cgroup_id = CgroupId(7)},
                    .managed = &managed_};
      action.view = {.limit = 0.5,
                     .hard = 2,
                     .floor = 0.1,
                     .step = 0.25,
                     .cooldown = 1,
                     .use = n == 0 ? 0.5 : later,
                     .peak = 0.5,
                     .held = held,
                     .since_raise = 60,
                     .since_change = 60,
                     .available = 2};
      action.decision = policy::decide(action.view, *managed_.policy, managed_.parameters);
      samples.see({action}, {.at = seconds(n + 1), .time = seconds(n + 1)});
    }
    return samples.take().at(0);
  }
  static Recorded parsed(const std::string& line) {
    auto recorded = parse(line);
    return recorded.value().value();
  }
  Managed managed_;
};

TEST_F(ReplayTest, TheSamePolicyDecidesTheSame) {
  for (const double held : {0.0, 0.3, 0.9}) {
    const Recorded recorded = parsed(row(held, 0.4));
    EXPECT_EQ(recorded.parameters, managed_.parameters);
    Score score;
    replay(recorded, *recorded.policy, recorded.parameters, nullptr, score);
    EXPECT_EQ(score.same, 1U);
    EXPECT_EQ(score.raised, held > 0 ? 1U : 0U);
  }
}

TEST_F(ReplayTest, SaysWhatALimitWouldHaveBeenWorth) {
  Score score;
  Recorded recorded = parsed(row(0, 0.4));
  replay(recorded, *recorded.policy, recorded.parameters, nullptr, score);
  const Score::Fit& fit = score.fits[policy::index(policy::Resource::cpu)];
  EXPECT_EQ(fit.with_outcome, 1U);
  EXPECT_EQ(fit.too_low, 0U);
  EXPECT_NEAR(fit.slack, 0.2, 1e-9);
  recorded = parsed(row(0, 0.8));
  replay(recorded, *recorded.policy, recorded.parameters, nullptr, score);
  EXPECT_EQ(fit.too_low, 1U);
  EXPECT_NEAR(fit.held, 0.375, 1e-9) << "0.5 of the 0.8 that were needed";
  EXPECT_EQ(score.fits[policy::index(policy::Resource::memory)].decisions, 0U);
}

TEST_F(ReplayTest, AnEventHoldsItAllAsWell) {
  Json event = Json::parse(row(0.3, 0.4));
  const Json view = event["view"];
  for (const auto& [name, value] : view.items()) event[name] = value;
  event["to"] = event["decision"]["limit"];
  event["cause"] = event["decision"]["cause"];
  event["step.margin"] = 0.2;
  event["step.calm"] = 1;
  for (const char* name : {"view", "decision", "parameters", "outcome"}) event.erase(name);
  const Recorded recorded = parsed(event.dump());
  EXPECT_EQ(recorded.limit, 0.75);
  EXPECT_EQ(recorded.most_use, std::nullopt);
}

TEST_F(ReplayTest, PassesOverWhatNoPolicyDecided) {
  EXPECT_FALSE(parse(R"({"event":"container_started"})").value().has_value());
  Json first = Json::parse(row(0, 0.4));
  first["decision"]["cause"] = "bounds";
  EXPECT_FALSE(parse(first.dump()).value().has_value());
}

TEST_F(ReplayTest, RefusesARecordThatLacksOrContradictsItself) {
  const Json good = Json::parse(row(0, 0.4));
  const auto broken = [&](auto change) {
    Json bad = good;
    change(bad);
    return parse(bad.dump());
  };
  EXPECT_THAT(parse("{"), HasError(ErrorKind::invalid));
  EXPECT_THAT(parse("[]"), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad["policy"] = "oracle"; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad["view"].erase("use"); }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad["view"]["floor"] = 3; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad["view"]["use"] = "much"; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad["parameters"]["margin"] = -1; }), HasError(ErrorKind::invalid));
  EXPECT_THAT(broken([](Json& bad) { bad.erase("decision"); }), HasError(ErrorKind::invalid));
}

TEST_F(ReplayTest, WhatEasedALimitIsDecidedAgain) {
  managed_.policy = policy::find_policy("burst");
  managed_.parameters = defaults_of(*managed_.policy);
  Action action{.subject = {.container = {.name = "web"}, .cgroup_id = CgroupId(7)}, .managed = &managed_};
  action.view = {.limit = 0.5,
                 .hard = 2,
                 .floor = 0.1,
                 .step = 0.25,
                 .cooldown = 1,
                 .use = 0.3,
                 .held = 0.1,
                 .since_raise = 60,
                 .since_change = 60,
                 .available = 2,
                 .woken = 1,
                 .burst_most = 0.5,
                 .weight = 100,
                 .weight_before = 100};
  action.decision = policy::decide(action.view, *managed_.policy, managed_.parameters);
  ASSERT_EQ(action.decision.burst, 0.5);
  Samples samples;
  for (int n = 0; n <= 8; ++n) samples.see({action}, {.at = seconds(n + 1), .time = seconds(n + 1)});
  const std::string line = samples.take().at(0);
  Score score;
  replay(parsed(line), *managed_.policy, managed_.parameters, nullptr, score);
  EXPECT_EQ(score.same, 1U);
  Json other = parse_json(line, "row").value();
  other["decision"]["burst"] = 0.1;
  replay(parsed(dump_json(other, -1)), *managed_.policy, managed_.parameters, nullptr, score);
  EXPECT_EQ(score.same, 1U);
}

TEST_F(ReplayTest, ARecordOfBeforeAFieldCameHasNoneOfIt) {
  Json json = parse_json(row(0.3, 0.4), "row").value();
  for (const policy::Field& field : policy::kFields)
    if (field.came_later) json["view"].erase(std::string(field.name));
  EXPECT_EQ(parsed(dump_json(json, -1)).view.burst, 0);
  json["view"].erase("use");
  EXPECT_THAT(parse(dump_json(json, -1)), HasError(ErrorKind::invalid));
}

}  // namespace
}  // namespace weir::control
