// SPDX-License-Identifier: MIT
// `weir policy`: models trained on samples that are made up, kept, judged and taken back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/golden.h"
#include "support/temp_dir.h"
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "weir/base/file.h"
#include "weir/base/json.h"
#include "weir/base/random.h"
#include "weir/base/text.h"
#include "weir/cli/command.h"
#include "weir/policy/view.h"

namespace weir::cli {
namespace {

using testing::expect_golden;
using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  int code;
  std::string out, err;
};

class PolicyTest : public ::testing::Test {
 protected:
  Outcome weir(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "policy");
    std::ostringstream out, err;
    std::istringstream in;
    const int code = run(arguments, Terminal{.out = out, .err = err, .in = in, .columns = 80});
    return {code, named(out.str()), named(err.str())};
  }
  Outcome train(const std::vector<std::string>& more = {}) const {
    return weir(with({"train", "--samples", samples_, "--output", model_}, more));
  }
  Outcome retrain(const std::vector<std::string>& more = {}) const {
    return weir(with({"retrain", "--samples", samples_, "--model", model_, "--history", history_}, more));
  }
  Outcome rollback() const { return weir({"rollback", "--model", model_, "--history", history_}); }
  /// The model's id is of every digit in its file.
  [[nodiscard]] std::string masked(std::string text) const {
    const std::string model = id();
    const std::size_t at = text.find(model);
    return at == std::string::npos ? text : text.replace(at, model.size(), "ID");
  }
  [[nodiscard]] std::string id() const {
    return string_member(Json::parse(weir({"show", model_, "--json"}).out), "model");
  }

  /// `n` samples a second apart, of a load that goes up and down in a `period` and is held back at times.
  void write_samples(std::size_t n, double period, std::string_view resource = "cpu", bool changes = true) {
    std::ofstream file(samples_, std::ios::app);
    Random random(11);
    for (std::size_t at = 0; at < n; ++at) {
      const auto load = [&](double second) {
        return changes ? 0.8 + 0.6 * std::sin(second * 6.28 / period) : 0.8;
      };
      const double use = load(static_cast<double>(at));
      const double noise = changes ? 0.2 * random.unit() : 0;
      const double limit = changes ? std::min(2.0, use * 1.15) : 0.8;
      Json view = Json::object();
      for (const policy::Field& field : policy::kFields) view[std::string(field.name)] = 0.0;
      view.update(Json{{"limit", limit},
                       {"hard", 2},
                       {"floor", 0.05},
                       {"step", 0.125},
                       {"cooldown", 1},
                       {"use", use},
                       {"peak", use},
                       {"p50", 0.8},
                       {"p95", 1.25},
                       {"since_change", 30},
                       {"calm", static_cast<double>(at % 60)}});
      const double needed = std::min(2.0, load(static_cast<double>(at) + 3) + noise);
      file << dump_json({{"schema", 1},
                         {"time_ns", static_cast<std::int64_t>(1'700'000'000 + at) * 1'000'000'000},
                         {"name", "web"},
                         {"resource", resource},
                         {"policy", "step"},
                         {"parameters", {{"margin", 0.15}, {"calm", 3}}},
                         {"view", view},
                         {"decision", {{"verdict", "keep"}, {"cause", "none"}, {"limit", limit}}},
                         {"outcome",
                          {{"looks", 5},
                           {"use", use},
                           {"most_use", needed},
                           {"held", 0},
                           {"most_held", 0},
                           {"needed", needed},
                           {"limit", limit}}}},
                        -1)
           << '\n';
    }
  }

  testing::TempDir dir_;
  const std::string samples_ = dir_.path("samples.jsonl"), model_ = dir_.path("models/soft_limit.json"),
                    history_ = dir_.path("logs/model_history.jsonl");

 private:
  static std::vector<std::string> with(std::vector<std::string> all, const std::vector<std::string>& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] std::string named(std::string text) const {
    for (std::size_t at = 0; (at = text.find(dir_.path())) != std::string::npos;)
      text.replace(at, dir_.path().size(), "DIR");
    return text;
  }
};

TEST_F(PolicyTest, TrainTellsWhatTheModelIsWorthAndShowWhatIsInIt) {
  write_samples(900, 120);
  write_samples(10, 120, "memory");
  const Outcome trained = train();
  EXPECT_EQ(trained.code, kDone) << trained.err;
  expect_golden("policy_train_80.txt", masked(trained.out));
  const Outcome shown = weir({"show", model_});
  EXPECT_THAT(shown.out,
              ::testing::StartsWith("DIR/models/soft_limit.json: model " + id() + ", newest sample 2023"));
  EXPECT_THAT(shown.out, HasSubstr("cpu       32 trees, "));
  const Json metrics = Json::parse(read_file(dir_.path("models/soft_limit.metrics.json")).value());
  EXPECT_EQ(string_member(metrics, "model"), id());
  const Json& cpu = metrics["resources"]["cpu"];
  EXPECT_EQ(cpu["lesson"], "learned");
  EXPECT_EQ(metrics["resources"]["memory"]["why"], "has 10 samples, 500 are needed");
  for (const char* name : {"linear", "forest", "step", "last_value"}) {
    const Json& score = cpu["scores"][name];
    EXPECT_EQ(score["n"], cpu["held_out"]) << name;
    for (const char* measure : {"mae", "quantile_loss", "under_provision_rate"})
      EXPECT_TRUE(score[measure].is_number()) << name << measure;
  }
  EXPECT_LT(cpu["scores"]["forest"]["quantile_loss"], cpu["scores"]["step"]["quantile_loss"]);
}

TEST_F(PolicyTest, TrainSaysHowManySamplesItNeedsAndWritesNothing) {
  write_samples(312, 120);
  const Outcome few = train();
  EXPECT_EQ(few.code, kFailed);
  EXPECT_THAT(few.err, HasSubstr("cpu has 312 samples, 500 are needed"));
  EXPECT_FALSE(std::filesystem::exists(model_));
  EXPECT_EQ(weir({"train", "--samples", dir_.path("none.jsonl")}).code, kHostCannot);
}

TEST_F(PolicyTest, TrainRefusesAModelThatBeatsNeitherBaselineUnlessForced) {
  write_samples(600, 1, "cpu", false);
  const Outcome useless = train();
  EXPECT_EQ(useless.code, kFailed);
  EXPECT_THAT(useless.err, HasSubstr("no better than step and the last value"));
  EXPECT_THAT(useless.err, HasSubstr("--force"));
  EXPECT_FALSE(std::filesystem::exists(model_));
  EXPECT_EQ(train({"--force"}).code, kDone);
  EXPECT_TRUE(std::filesystem::exists(model_));
}

TEST_F(PolicyTest, TheSameSamplesAndSeedGiveTheSameModel) {
  write_samples(600, 120);
  train();
  const std::string first = read_file(model_).value();
  train();
  EXPECT_EQ(read_file(model_).value(), first);
}

TEST_F(PolicyTest, RetrainPromotesOnlyWhatIsBetterAndRollbackGoesBack) {
  write_samples(600, 120);
  EXPECT_THAT(retrain().out, HasSubstr("is in force\n"));
  const std::string first = id();
  EXPECT_THAT(retrain().out, HasSubstr(fmt::format("model {} stays in force", first)));
  EXPECT_EQ(id(), first);

  std::filesystem::remove(samples_);
  write_samples(2000, 20);  // another load
  EXPECT_THAT(retrain().out, HasSubstr(fmt::format("weir policy rollback goes back to {}", first)));
  const std::string second = id();
  EXPECT_NE(second, first);

  EXPECT_THAT(rollback().out,
              HasSubstr(fmt::format("model {} is in force again; {} is kept", first, second)));
  EXPECT_EQ(id(), first);
  const Json metrics = Json::parse(read_file(dir_.path("models/soft_limit.metrics.json")).value());
  EXPECT_EQ(string_member(metrics, "model"), first);

  const std::string text = read_file(history_).value();
  std::vector<std::string> actions;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) actions.push_back(string_member(Json::parse(line), "action"));
  EXPECT_THAT(actions, ::testing::ElementsAre("promoted", "kept", "promoted", "rolled_back"));
}

TEST_F(PolicyTest, RetrainKeepsWhatSomebodyWentBackToUntilItIsToldOtherwise) {
  write_samples(600, 120);
  retrain();
  const std::string first = id();
  std::filesystem::remove(samples_);
  write_samples(2000, 20);  // another load
  retrain();
  rollback();
  for (int n = 0; n < 2; ++n) {
    const Outcome held = retrain();
    EXPECT_EQ(held.code, kDone);
    EXPECT_THAT(held.out, HasSubstr(fmt::format("model {} stays in force, since somebody went back", first)));
    EXPECT_THAT(retrain({"--json"}).out, HasSubstr(R"("action":"held")"));
    EXPECT_EQ(id(), first);
  }
  EXPECT_THAT(retrain({"--promote"}).out,
              HasSubstr(fmt::format("weir policy rollback goes back to {}", first)));
  EXPECT_NE(id(), first);
}

TEST_F(PolicyTest, AModelThatWasTrainedAfterARollbackIsNoneThatSomebodyWentBackTo) {
  write_samples(600, 120);
  train();
  train({"--seed", "2"});
  rollback();
  train({"--seed", "2"});
  std::filesystem::remove(samples_);
  write_samples(2000, 20);
  EXPECT_THAT(retrain({"--json"}).out, HasSubstr(R"("action":"promoted")"));
}

TEST_F(PolicyTest, RetrainIsNoFailureWhereThereIsTooLittleToLearn) {
  write_samples(10, 120);
  const Outcome few = retrain();
  EXPECT_EQ(few.code, kDone);
  EXPECT_THAT(few.out, HasSubstr("still no model (cpu has 10 samples, 500 are needed)"));
  EXPECT_THAT(retrain({"--json"}).out, HasSubstr(R"("action":"too_few_samples")"));
}

TEST_F(PolicyTest, AModelThatSomeoneTamperedWithIsRefusedAndReplaced) {
  write_samples(600, 120);
  train();
  std::string text = read_file(model_).value();
  const std::size_t digit = text.find("\"margin\":0.") + 11;
  text[digit] = text[digit] == '5' ? '6' : '5';
  std::ofstream(model_) << text;
  const Outcome tampered = weir({"show", model_});
  EXPECT_EQ(tampered.code, kUsage);
  EXPECT_THAT(tampered.err, HasSubstr("soft_limit.json: was changed or damaged"));
  const Outcome again = retrain();
  EXPECT_THAT(again.err, HasSubstr("the model in force cannot be used"));
  EXPECT_EQ(weir({"show", model_}).code, kDone);
}

TEST_F(PolicyTest, AModelThatOthersCanWriteIsRefusedAndLeftAlone) {
  write_samples(600, 120);
  train();
  ASSERT_EQ(::chmod(model_.c_str(), 0666), 0);
  for (const Outcome& outcome : {weir({"show", model_}), retrain()}) {
    EXPECT_EQ(outcome.code, kFailed);
    EXPECT_THAT(outcome.err, HasSubstr("others could have written it"));
  }
}

TEST_F(PolicyTest, RollbackWithoutAPreviousModelSaysSo) {
  write_samples(600, 120);
  train();
  const Outcome none = rollback();
  EXPECT_EQ(none.code, kHostCannot);
  EXPECT_THAT(none.err, HasSubstr("there is no previous model"));
}

TEST_F(PolicyTest, EvaluateComparesBeforeAndAfterAndWithStep) {
  std::ofstream log(dir_.path("events.jsonl"));
  const auto tell = [&](std::string_view event, std::string_view name, std::string_view mode,
                        const Json& more) {
    Json json = {{"schema", 1},
                 {"event", event},
                 {"container", {{"name", name}}},
                 {"resource", "cpu"},
                 {"mode", mode}};
    json.update(more);
    log << dump_json(json, -1) << '\n';
  };
  Random random(5);
  for (int n = 0; n < 40; ++n) {
    const double before = 0.2 + 0.2 * random.unit();
    const bool helped = n % 8 != 0;
    const Json outcome = {{"held_before", before},
                          {"held_after", helped ? 0.02 * random.unit() : before},
                          {"needed", 1.0},
                          {"suggested", helped ? 1.25 : 0.9},
                          {"step_would", n % 2 == 0 ? 0.75 : 2.0}};
    for (const char* mode : {"active", "shadow"}) {
      tell("ml_adjustment", "web", mode, Json::object());
      tell(helped ? "ml_effective" : "ml_no_improvement", "web", mode, outcome);
    }
  }
  tell("ml_adjustment", "database-with-a-very-long-name", "canary", Json::object());
  tell("ml_fallback", "web", "active", {{"reason", "it loses more than step"}});
  log << R"({"event":"soft_limit_raised"})" << "\nnonsense\n";
  log.close();
  const Outcome text = weir({"evaluate", dir_.path("events.jsonl")});
  EXPECT_EQ(text.code, kDone) << text.err;
  EXPECT_THAT(text.err, HasSubstr("1 lines could not be understood"));
  expect_golden("policy_evaluate_80.txt", text.out);
  const Json json = Json::parse(weir({"evaluate", dir_.path("events.jsonl"), "--json"}).out);
  ASSERT_EQ(json["effects"].size(), 3U);
  EXPECT_EQ(json["effects"][1]["container"], "web");
  EXPECT_EQ(json["effects"][1]["suggested"]["under_provision_rate"], 0.125);
  EXPECT_EQ(json["effects"][1]["step"]["under_provision_rate"], 0.5);
}

TEST_F(PolicyTest, EvaluateSaysThatNoModelDecidedAnything) {
  std::ofstream(dir_.path("events.jsonl")) << R"({"event":"soft_limit_raised"})" << '\n';
  const Outcome none = weir({"evaluate", dir_.path("events.jsonl")});
  EXPECT_EQ(none.code, kFailed);
  EXPECT_THAT(none.err, HasSubstr("holds no decision of a model"));
}

TEST_F(PolicyTest, EveryHelpPageHasAnExampleAndFitsEightyColumns) {
  for (const char* command : {"list", "replay", "train", "retrain", "rollback", "show", "evaluate"}) {
    const Outcome help = weir({command, "--help"});
    EXPECT_THAT(help.out, HasSubstr("Example")) << command;
    EXPECT_THAT(help.err, Not(HasSubstr("weir:")));
    for (const std::string_view line : split(help.out, '\n')) EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace weir::cli
