// SPDX-License-Identifier: MIT
// `weir policy retrain` and `rollback`: another model in force, if it is better, and the one before it again.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>
#include <ranges>

#include "weir/base/clock.h"
#include "weir/base/file.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/policy.h"
#include "weir/cli/policy_training.h"
#include "weir/control/model_store.h"
#include "weir/events/event_log.h"
#include "weir/limits/caller.h"

namespace weir::cli {
namespace {

using control::Lesson;
using control::Training;

constexpr std::string_view kPromoted = "promoted", kRolledBack = "rolled_back";
/// More than a history grows to before it is rotated.
constexpr std::size_t kLargestHistory = 64UZ << 20U;

struct Options {
  LearningOptions learning;
  std::string history = kModelHistory;
  bool promote = false;  ///< also what somebody has gone back from
};

/// What becomes of the model in force.
struct Change {
  std::string_view action;  ///< "promoted", "kept", "held", "too_few_samples", "rolled_back"
  std::string model;        ///< id of the one in force from now on; empty: none
  std::string was;          ///< of the one before; empty: none, or none that can be used
  Json resources = nullptr;
};

Json change_json(const Change& change, const std::string& path) {
  const auto now = SystemClock().realtime();
  Json json = {{"schema", 1},  {"time", format_utc(now)}, {"time_ns", now.count()}, {"action", change.action},
               {"file", path}, {"model", change.model},   {"was", change.was}};
  if (!change.resources.is_null()) json["resources"] = change.resources;
  return json;
}

/// The model is in force by then: a history that cannot be written takes nothing back.
void tell(const Session& session, const Options& options, const Change& change) {
  const std::string line = dump_json(change_json(change, options.learning.model), -1);
  auto history = events::EventLog::open(options.history);
  const auto kept = history ? history->append(line) : std::unexpected(history.error());
  if (!kept) warn(session, fmt::format("the history lacks this: {}", kept.error().message()));
  if (session.json) fmt::print(session.terminal.out, "{}\n", line);
}

/// nullopt: there is none, or it is damaged, which is warned of; another may take its place.
Result<std::optional<learn::Model>> model_in_force(const Session& session, const std::string& path) {
  auto model = control::load_model(path, limits::read_caller(session.paths).login_uid);
  if (model) return std::move(*model);
  if (model.error().kind == ErrorKind::invalid)
    warn(session, fmt::format("the model in force cannot be used: {}", model.error().message()));
  else if (model.error().kind != ErrorKind::absent)
    return std::unexpected(model.error());
  return std::nullopt;
}

/// Whether this very model came in force by somebody who went back to it, by the history.
bool was_gone_back_to(const Options& options, const std::string& model) {
  const auto history = read_file(options.history, kLargestHistory);
  if (!history || model.empty()) return false;
  for (const std::string_view line : split(*history, '\n') | std::views::reverse) {
    const auto json = parse_json(line, options.history);
    if (!json || string_member(*json, "model") != model) continue;
    const std::string action = string_member(*json, "action");
    if (action == kPromoted || action == kRolledBack) return action == kRolledBack;
  }
  return false;
}

Result<int> retrain(Session& session, const Options& options) {
  const std::string& path = options.learning.model;
  WEIR_TRY(const auto in_force, model_in_force(session, path));
  WEIR_TRY(const control::TrainingRows rows, read_samples(session, options.learning.samples));
  WEIR_TRY(const Training training, control::train_model(rows, in_force ? &*in_force : nullptr,
                                                         training_options(session, options.learning)));
  if (!session.json) print_lessons(session, training);
  const std::string was = in_force ? in_force->identity().id : "";
  const bool any = std::ranges::any_of(
      training.resources, [](Lesson lesson) { return lesson != Lesson::none; }, &control::Learned::lesson);
  Change change{.action = any ? "kept" : "too_few_samples",
                .model = was,
                .was = was,
                .resources = lessons_json(training)};
  const bool held = training.model && !options.promote && was_gone_back_to(options, was);
  if (held) {
    change.action = "held";
  } else if (training.model) {
    WEIR_CHECK(control::store_model(path, training.text, metrics_text(training, rows, options.learning)));
    change.action = kPromoted;
    change.model = training.model->identity().id;
  }
  tell(session, options, change);
  if (session.json) return kDone;
  if (held)
    fmt::print(session.terminal.out,
               "{}: model {} stays in force, since somebody went back to it; what was learned now loses "
               "less: weir policy retrain --promote puts it in force\n",
               path, was);
  else if (training.model)
    fmt::print(session.terminal.out, "{}: model {} is in force{}\n", path, change.model,
               was.empty() ? "" : fmt::format("; weir policy rollback goes back to {}", was));
  else
    fmt::print(session.terminal.out, "{}: {} ({})\n", path,
               was.empty() ? "still no model" : fmt::format("model {} stays in force", was),
               why_nothing(training));
  return kDone;
}

Result<int> rollback(Session& session, const Options& options) {
  const std::string& path = options.learning.model;
  const auto caller = limits::read_caller(session.paths).login_uid;
  const auto was = control::load_model(path, caller);
  WEIR_TRY(const learn::Model model, control::roll_back(path, caller));
  const Change change{
      .action = kRolledBack, .model = model.identity().id, .was = was ? was->identity().id : ""};
  tell(session, options, change);
  if (!session.json)
    fmt::print(session.terminal.out, "{}: model {} is in force again; {} is kept as the one before\n", path,
               change.model, change.was.empty() ? "the other" : change.was);
  return kDone;
}

void add_history_option(CLI::App& command, Options& options) {
  command.add_option("--history", options.history, "Where a line is appended that says what became of it")
      ->type_name("FILE")
      ->capture_default_str();
}

}  // namespace

void add_policy_retrain(CLI::App& policy, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      policy.add_subcommand("retrain", "Learn anew from the newest samples, and keep it if it is better");
  add_learning_options(*command, options->learning, "--model");
  add_history_option(*command, *options);
  command->add_flag("--promote", options->promote, "Put it in force also after a rollback");
  command->footer(
      "Each resource is learned as by train, and judged beside the model in force on\n"
      "the same samples; only what loses less takes its place. Nothing to learn yet, or\n"
      "nothing better, is no failure. A model that somebody went back to by rollback\n"
      "stays until --promote.\n"
      "Examples:\n"
      "  weir policy retrain\n"
      "  systemctl enable --now weir-policy-retrain.timer  once a day, in /var/lib/weir");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, retrain(session, *options)); };
  });
}

void add_policy_rollback(CLI::App& policy, Session& session) {
  const auto options = std::make_shared<Options>();
  options->learning.model = kModel;
  CLI::App* command = policy.add_subcommand("rollback", "Put the model before this one in force again");
  command->add_option("--model", options->learning.model, "The model's file")
      ->type_name("FILE")
      ->capture_default_str();
  add_history_option(*command, *options);
  command->footer(
      "The two change places: done twice it is as before.\n"
      "Example:\n"
      "  weir policy rollback");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, rollback(session, *options)); };
  });
}

}  // namespace weir::cli
