// SPDX-License-Identifier: MIT
// `weir policy replay`: recorded decisions made again, by any policy.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <ostream>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/policy.h"
#include "weir/control/model_store.h"
#include "weir/control/replay.h"
#include "weir/events/event_log.h"
#include "weir/limits/caller.h"

namespace weir::cli {
namespace {

using policy::Resource;
using Fit = control::Score::Fit;

struct Options {
  std::vector<std::string> files, with;
  std::string policy;  ///< empty: that of each record
  std::string model;   ///< empty: none
};

/// Another policy, with its parameters.
struct Other {
  const policy::Policy* policy = nullptr;  ///< null: as recorded
  policy::Parameters parameters;
};

Result<Other> parse_other(const Options& options) {
  Other other;
  if (options.policy.empty()) {
    if (options.with.empty()) return other;
    return std::unexpected(make_error(ErrorKind::invalid, "--with", "needs a --policy that it is of"));
  }
  other.policy = policy::find_policy(options.policy);
  if (other.policy == nullptr)
    return std::unexpected(
        make_error(ErrorKind::invalid, options.policy, "is no policy", "weir policy list"));
  other.parameters = policy::defaults_of(*other.policy);
  for (const std::string& text : options.with) {
    const std::vector<std::string_view> parts = split(text, '=');
    const auto& all = other.policy->parameters;
    const auto found = std::ranges::find(all, parts[0], &policy::Parameter::name);
    const double value = parts.size() == 2 ? parse_decimal(parts[1]).value_or(-1) : -1;
    if (found == all.end() || value < found->low || value > found->high)
      return std::unexpected(make_error(ErrorKind::invalid, text,
                                        fmt::format("is no parameter that {} could have", other.policy->name),
                                        "weir policy list"));
    other.parameters[static_cast<std::size_t>(found - all.begin())] = value;
  }
  return other;
}

struct Replayed {
  control::Score score;
  std::uint64_t passed_over = 0, wrong = 0;  ///< lines
  std::uint64_t other_model = 0;             ///< decisions that a model made which is not at hand
  std::chrono::nanoseconds deciding{0};
};

Result<Replayed> replay_files(const std::vector<std::string>& files, const Other& other,
                              const learn::Model* model) {
  Replayed all;
  std::vector<control::Recorded> records;
  FlatJson json;
  for (const std::string& file : files)
    WEIR_CHECK(events::read_log(file, [&](std::string_view line) {
      auto recorded = control::parse_recorded(line, json);
      if (!recorded)
        ++all.wrong;
      else if (!*recorded)
        ++all.passed_over;
      else
        records.push_back(std::move(**recorded));
    }));
  const auto begin = std::chrono::steady_clock::now();
  for (const control::Recorded& recorded : records) {
    if (other.policy != nullptr) {
      control::replay(recorded, *other.policy, other.parameters, model, all.score);
      continue;
    }
    const bool asked = !recorded.model.empty();
    if (asked && (model == nullptr || model->identity().id != recorded.model))
      ++all.other_model;
    else
      control::replay(recorded, *recorded.policy, recorded.parameters, asked ? model : nullptr, all.score);
  }
  all.deciding = std::chrono::steady_clock::now() - begin;
  return all;
}

Json json_of(const Replayed& all, const Options& options) {
  const control::Score& score = all.score;
  Json json = {{"schema", 1},
               {"policy", options.policy.empty() ? "as recorded" : options.policy},
               {"decisions", score.decisions},
               {"same", score.same},
               {"raised", score.raised},
               {"lowered", score.lowered},
               {"refused", score.refused},
               {"at_hard", score.at_hard},
               {"resources", Json::array()}};
  for (std::size_t n = 0; n < policy::kResources; ++n) {
    const Fit& fit = score.fits[n];
    if (fit.decisions == 0) continue;
    Json& of_it = json["resources"].emplace_back(Json{{"resource", to_string(static_cast<Resource>(n))},
                                                      {"decisions", fit.decisions},
                                                      {"changes", fit.changes},
                                                      {"with_outcome", fit.with_outcome}});
    if (fit.with_outcome == 0) continue;
    const auto all_of_it = static_cast<double>(fit.with_outcome);
    of_it["too_low"] = static_cast<double>(fit.too_low) / all_of_it;
    if (static_cast<Resource>(n) == Resource::memory)
      of_it["oom_regret"] = of_it["too_low"];
    else
      of_it["throttled"] = fit.held / all_of_it;
    if (const std::uint64_t enough = fit.with_outcome - fit.too_low; enough > 0)
      of_it["slack"] = fit.slack / static_cast<double>(enough);
  }
  json["passed_over"] = all.passed_over;
  json["other_model"] = all.other_model;
  json["damaged"] = all.wrong;
  json["decisions_per_second"] = static_cast<double>(score.decisions) /
                                 std::max(std::chrono::duration<double>(all.deciding).count(), 1e-9);
  return json;
}

/// How the limits would have done with what came, of each resource.
void print_fits(std::ostream& out, const control::Score& score) {
  fmt::print(out, "{:<10}{:>10}{:>9}{:>11}{:>12}{:>9}\n", "", "decisions", "changes", "throttled",
             "oom regret", "slack");
  for (std::size_t n = 0; n < policy::kResources; ++n) {
    const Fit& fit = score.fits[n];
    if (fit.decisions == 0) continue;
    const bool memory = static_cast<Resource>(n) == Resource::memory;
    const auto percent = [](double sum, std::uint64_t of) {
      return of == 0 ? std::string("-") : fmt::format("{:.1f} %", 100 * sum / static_cast<double>(of));
    };
    fmt::print(out, "{:<10}{:>10}{:>9}{:>11}{:>12}{:>9}\n", to_string(static_cast<Resource>(n)),
               fit.decisions, fit.changes, memory ? "-" : percent(fit.held, fit.with_outcome),
               memory ? percent(static_cast<double>(fit.too_low), fit.with_outcome) : "-",
               percent(fit.slack, fit.with_outcome - fit.too_low));
  }
}

Result<int> replay(Session& session, const Options& options) {
  WEIR_TRY(const Other other, parse_other(options));
  std::optional<learn::Model> model;
  if (!options.model.empty()) {
    WEIR_TRY(model, control::load_model(options.model, limits::read_caller(session.paths).login_uid));
  }
  WEIR_TRY(const Replayed all, replay_files(options.files, other, model ? &*model : nullptr));
  const control::Score& score = all.score;
  if (all.other_model > 0 && !session.json)
    warn(session,
         fmt::format("{} decisions were made by a model that is not given: --model FILE", all.other_model));
  if (score.decisions == 0)
    return std::unexpected(make_error(ErrorKind::failed, options.files.front(),
                                      "holds no decision of weir control",
                                      "its log, or the samples that its configuration names"));
  if (all.wrong > 0 && !session.json)
    warn(session, fmt::format("{} lines could not be understood", all.wrong));
  if (session.json) {
    fmt::print(session.terminal.out, "{}\n", dump_json(json_of(all, options), -1));
    return kDone;
  }
  std::ostream& out = session.terminal.out;
  fmt::print(out, "{} decisions, {} the same as recorded ({:.2f} %)\n", score.decisions, score.same,
             100.0 * static_cast<double>(score.same) / static_cast<double>(score.decisions));
  fmt::print(out, "raised {}, lowered {}, at the hard limit {}, refused {}\n", score.raised, score.lowered,
             score.at_hard, score.refused);
  print_fits(out, score);
  return kDone;
}

}  // namespace

void add_policy_replay(CLI::App& policy, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      policy.add_subcommand("replay", "Make recorded decisions again, by the same policy or another one");
  command->add_option("files", options->files, "Event logs or samples of weir control")
      ->type_name("FILE")
      ->required();
  command->add_option("--policy", options->policy, "By this one; without it by that of each record")
      ->type_name("NAME");
  command->add_option("--with", options->with, "A parameter of it")->type_name("NAME=NUMBER");
  command->add_option("--model", options->model, "The model that learned asks")->type_name("FILE");
  command->footer(
      "Each decision is made again by what was seen then. What another policy would\n"
      "have led to afterwards is not in it.\n"
      "Examples:\n"
      "  weir policy replay logs/events.jsonl\n"
      "  weir policy replay logs/training_samples.jsonl --policy step\n"
      "  weir policy replay logs/training_samples.jsonl --policy step --with margin=0.3");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, replay(session, *options)); };
  });
}

}  // namespace weir::cli
