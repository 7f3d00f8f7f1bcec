// SPDX-License-Identifier: MIT
// `weir policy evaluate`: what a model's decisions led to, by the event log.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "weir/base/json.h"
#include "weir/cli/policy.h"
#include "weir/cli/table.h"
#include "weir/cli/watch_outputs.h"
#include "weir/control/evaluation.h"
#include "weir/events/event_log.h"

namespace weir::cli {
namespace {

using control::Effect;
using Effects = std::map<control::Evaluation::Key, Effect>;

Json mean_json(const control::Mean& mean) {
  return {{"mean", mean.mean}, {"low", mean.low}, {"high", mean.high}};
}
Json fit_json(const control::Fit& fit) {
  return {{"under_provision_rate", fit.too_low}, {"unused", fit.unused}};
}

Json json_of(const Effects& effects, std::uint64_t damaged) {
  Json rows = Json::array();
  for (const auto& [key, effect] : effects) {
    const auto& [container, resource, mode] = key;
    Json row = {{"container", container},
                {"resource", resource},
                {"mode", mode},
                {"adjustments", effect.adjustments},
                {"effective", effect.effective},
                {"no_improvement", effect.no_improvement},
                {"fallbacks", effect.fallbacks}};
    if (effect.held_before) {
      row["held_before"] = mean_json(*effect.held_before);
      row["held_after"] = mean_json(*effect.held_after);
      row["suggested"] = fit_json(effect.suggested);
      row["step"] = fit_json(effect.step);
    }
    rows.push_back(std::move(row));
  }
  return {{"schema", 1}, {"effects", rows}, {"damaged", damaged}};
}

std::string interval(const std::optional<control::Mean>& mean) {
  if (!mean) return "-";
  return fmt::format("{:.0f} ({:.0f}-{:.0f})", 100 * mean->mean, 100 * mean->low, 100 * mean->high);
}
std::string fit_text(const Effect& effect, const control::Fit& fit) {
  if (!effect.held_before) return "-";
  return fmt::format("{:.0f}/{:.0f}", 100 * fit.too_low, 100 * fit.unused);
}

std::string table_of(const Effects& effects, const Terminal& terminal) {
  Table table({{.title = "CONTAINER", .may_shrink = true},
               {.title = "OF"},
               {.title = "MODE"},
               {.title = "DONE", .align = Align::right},
               {.title = "HELPED", .align = Align::right},
               {.title = "HELD", .align = Align::right},
               {.title = "THEN", .align = Align::right},
               {.title = "MODEL", .align = Align::right},
               {.title = "STEP", .align = Align::right},
               {.title = "FELL BACK", .align = Align::right, .priority = 1}});
  for (const auto& [key, effect] : effects) {
    const auto& [container, resource, mode] = key;
    table.add({{container.empty() ? "-" : container},
               {resource.empty() ? "-" : resource},
               {mode.empty() ? "-" : mode},
               {fmt::format("{}", effect.adjustments)},
               {fmt::format("{}/{}", effect.effective, effect.effective + effect.no_improvement)},
               {interval(effect.held_before)},
               {interval(effect.held_after)},
               {fit_text(effect, effect.suggested)},
               {fit_text(effect, effect.step)},
               {fmt::format("{}", effect.fallbacks)}});
  }
  return table.render(terminal.columns, terminal.colour);
}

Result<int> evaluate(Session& session, const std::vector<std::string>& files) {
  control::Evaluation evaluation;
  std::uint64_t damaged = 0;
  for (const std::string& file : files)
    WEIR_CHECK(events::read_log(file, [&](std::string_view line) {
      const auto event = control::parse_ml_event(line);
      if (!event)
        ++damaged;
      else if (*event)
        evaluation.take(**event);
    }));
  const Effects effects = evaluation.effects();
  if (effects.empty())
    return std::unexpected(make_error(ErrorKind::failed, files.front(), "holds no decision of a model",
                                      "weir control tells them where its configuration has ml.model_path"));
  if (session.json) {
    fmt::print(session.terminal.out, "{}\n", dump_json(json_of(effects, damaged), -1));
    return kDone;
  }
  if (damaged > 0) warn(session, fmt::format("{} lines could not be understood", damaged));
  session.terminal.out
      << table_of(effects, session.terminal)
      << "HELD, THEN: % of the time held back, before and after, and 95 % intervals\n"
         "MODEL, STEP: % too low for what came / of the limit not used where it was enough\n";
  return kDone;
}

}  // namespace

void add_policy_evaluate(CLI::App& policy, Session& session) {
  const auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* command = policy.add_subcommand("evaluate", "What a model's decisions led to");
  command->add_option("files", *files, fmt::format("Event logs of weir control; default: {}", kEventLog))
      ->type_name("FILE");
  command->footer(
      "For each container, resource and mode: how often the model decided, and how\n"
      "often that helped; how much it was held back before and after; and its limits\n"
      "beside those that the policy step would have set.\n"
      "Examples:\n"
      "  weir policy evaluate\n"
      "  weir policy evaluate logs/events.jsonl --json | jq '.effects[]'");
  command->callback([&session, files] {
    session.action = [&session, files] {
      if (files->empty()) files->emplace_back(kEventLog);
      return report(session, evaluate(session, *files));
    };
  });
}

}  // namespace weir::cli
