// SPDX-License-Identifier: MIT
#include "weir/cli/policy_training.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <ostream>

#include "weir/base/text.h"
#include "weir/cli/policy.h"
#include "weir/cli/table.h"
#include "weir/events/event_log.h"
#include "weir/learn/model_file.h"

namespace weir::cli {
namespace {

using control::Learned;
using control::Lesson;

/// What was compared on the held-out rows, in the order in which it is shown.
std::vector<std::pair<std::string, const learn::Score*>> scores_of(const Learned& learned) {
  const learn::Trained& trained = *learned.trained;
  std::vector<std::pair<std::string, const learn::Score*>> scores = {{"linear", &trained.linear},
                                                                     {"forest", &trained.forest},
                                                                     {"step", &trained.step},
                                                                     {"last_value", &trained.last}};
  if (learned.in_force) scores.emplace_back("in_force", &*learned.in_force);
  return scores;
}

bool is_forest(const learn::Predictor& predictor) {
  return std::holds_alternative<learn::Forest>(predictor.form);
}

Json score_json(const learn::Score& score) {
  return {{"n", score.n},
          {"unanswered", score.unanswered},
          {"mae", score.mae},
          {"quantile_loss", score.quantile_loss},
          {"under_provision_rate", score.under},
          {"excess", score.excess}};
}

std::string percent(double share, int digits) { return fmt::format("{:.{}f} %", 100 * share, digits); }

std::string verdict(const Learned& learned) {
  switch (learned.lesson) {
    case Lesson::none:
      return "not learned: " + learned.why;
    case Lesson::useless:
      return "not learned: it loses as much as step, and as the last value";
    case Lesson::no_better:
      return "the model in force stays: this one is no better";
    case Lesson::learned:
      break;
  }
  return fmt::format("learned by the {}", is_forest(learned.trained->predictor) ? "forest" : "line");
}

}  // namespace

void add_learning_options(CLI::App& command, LearningOptions& options, const char* model_option) {
  options.samples = kSamples;
  options.model = kModel;
  command.add_option("--samples", options.samples, "What weir control wrote to outputs.samples")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option(model_option, options.model, "The model's file")
      ->type_name("FILE")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Of what is drawn at random; the same gives the same model")
      ->type_name("NUMBER")
      ->capture_default_str();
}

Result<control::TrainingRows> read_samples(const Session& session, const std::string& path) {
  control::TrainingRows rows;
  auto read = events::read_log(path, [&](std::string_view line) { rows.take(line); });
  if (!read && read.error().kind == ErrorKind::absent)
    return std::unexpected(
        make_error(ErrorKind::absent, path, "there are no samples",
                   "weir control writes them where its configuration says: outputs.samples"));
  if (!read) return std::unexpected(read.error());
  if (rows.damaged() > 0)
    warn(session, fmt::format("{} lines of {} could not be understood", rows.damaged(), path));
  if (rows.taken() > 0) return rows;
  return std::unexpected(
      make_error(ErrorKind::failed, path, "holds no sample whose outcome is known",
                 "weir control writes them where its configuration says: outputs.samples"));
}

control::TrainingOptions training_options(const Session& session, const LearningOptions& options) {
  control::TrainingOptions training{.fit = {.seed = options.seed}};
  if (session.terminal.err_tty)
    training.fitting = [&session](policy::Resource resource, std::size_t samples) {
      fmt::print(session.terminal.err, "weir: {}: learning from {} samples\n", to_string(resource), samples);
      session.terminal.err.flush();
    };
  return training;
}

Json lessons_json(const control::Training& training) {
  Json all = Json::object();
  for (const Learned& learned : training.resources) {
    Json& json = all[std::string(to_string(learned.resource))] = {{"lesson", to_string(learned.lesson)},
                                                                  {"samples", learned.samples}};
    if (!learned.trained) {
      json["why"] = learned.why;
      continue;
    }
    json["form"] = is_forest(learned.trained->predictor) ? "forest" : "linear";
    json["fitted"] = learned.trained->fitted;
    json["calibrated"] = learned.trained->calibrated;
    json["held_out"] = learned.trained->step.n;
    Json& scores = json["scores"] = Json::object();
    for (const auto& [name, score] : scores_of(learned)) scores[name] = score_json(*score);
    json["raises"] = {{"model", score_json(learned.trained->raises)},
                      {"step", score_json(learned.trained->step_raises)}};
  }
  return all;
}

std::string metrics_text(const control::Training& training, const control::TrainingRows& rows,
                         const LearningOptions& options) {
  const learn::Identity& identity = training.model->identity();
  return dump_json({{"schema", 1},
                    {"model", identity.id},
                    {"trained", format_utc(identity.trained)},
                    {"samples",
                     {{"file", options.samples},
                      {"taken", rows.taken()},
                      {"passed_over", rows.passed_over()},
                      {"damaged", rows.damaged()}}},
                    {"seed", options.seed},
                    {"quantile", learn::kQuantile},
                    {"resources", lessons_json(training)}}) +
         "\n";
}

void print_lessons(const Session& session, const control::Training& training) {
  std::ostream& out = session.terminal.out;
  for (const Learned& learned : training.resources) {
    fmt::print(out, "{}: {}\n", to_string(learned.resource), verdict(learned));
    if (!learned.trained) continue;
    fmt::print(out, "  fitted on {} samples, set on {}, judged by the {} after them:\n",
               learned.trained->fitted, learned.trained->calibrated, learned.trained->step.n);
    Table table({{.title = "  of the hard limit"},
                 {.title = "mean error", .align = Align::right},
                 {.title = "quantile loss", .align = Align::right},
                 {.title = "too low", .align = Align::right},
                 {.title = "excess", .align = Align::right}});
    for (const auto& [name, score] : scores_of(learned))
      table.add({{"  " + name},
                 {percent(score->mae, 2)},
                 {percent(score->quantile_loss, 3)},
                 {percent(score->under, 1)},
                 {percent(score->excess, 1)}});
    out << table.render(session.terminal.columns, session.terminal.colour);
    const learn::Trained& trained = *learned.trained;
    if (trained.raises.n > 0)
      fmt::print(out, "  where step raises ({}): too low in {} by {}, in {} by step\n", trained.raises.n,
                 percent(trained.raises.under, 1), is_forest(trained.predictor) ? "the forest" : "the line",
                 percent(trained.step_raises.under, 1));
  }
}

std::string why_nothing(const control::Training& training) {
  std::string why;
  for (const Learned& learned : training.resources) {
    if (!why.empty()) why += "; ";
    why += fmt::format("{} {}", to_string(learned.resource),
                       learned.lesson == Lesson::none ? learned.why
                       : learned.lesson == Lesson::useless
                           ? "is learned no better than step and the last value are"
                           : "is learned no better than by the model in force");
  }
  return why;
}

}  // namespace weir::cli
