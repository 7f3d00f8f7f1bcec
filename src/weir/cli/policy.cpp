// SPDX-License-Identifier: MIT
// `weir policy`: which policies there are; what is learned for them and from them is in files of their own.
#include "weir/cli/policy.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <ostream>

#include "weir/base/json.h"
#include "weir/policy/policies.h"

namespace weir::cli {
namespace {

Result<int> list(Session& session) {
  if (session.json) {
    Json all = Json::array();
    for (const policy::Policy& policy : policy::policies()) {
      Json parameters = Json::array();
      for (const policy::Parameter& each : policy.parameters)
        parameters.push_back({{"name", each.name},
                              {"default", each.value},
                              {"low", each.low},
                              {"high", each.high},
                              {"about", each.about}});
      all.push_back({{"name", policy.name}, {"about", policy.about}, {"parameters", parameters}});
    }
    fmt::print(session.terminal.out, "{}\n", dump_json(Json{{"schema", 1}, {"policies", all}}, -1));
    return kDone;
  }
  for (const policy::Policy& policy : policy::policies()) {
    fmt::print(session.terminal.out, "{}\n  {}\n", policy.name, policy.about);
    for (const policy::Parameter& each : policy.parameters)
      fmt::print(session.terminal.out, "  {} = {}  ({} to {}) {}\n", each.name, each.value, each.low,
                 each.high, each.about);
  }
  return kDone;
}

}  // namespace

void add_policy(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("policy", "The policies of weir control: listed, replayed, learned and judged");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  weir policy list\n"
      "  weir policy replay logs/events.jsonl    the same decisions once more\n"
      "  weir policy train                       a model of what will be needed\n"
      "  weir policy evaluate logs/events.jsonl  what a model's decisions led to");

  CLI::App* list_command = command->add_subcommand("list", "The policies there are, and their parameters");
  list_command->footer("Example:\n  weir policy list --json");
  list_command->callback(
      [&session] { session.action = [&session] { return report(session, list(session)); }; });
  add_policy_replay(*command, session);
  add_policy_train(*command, session);
  add_policy_retrain(*command, session);
  add_policy_rollback(*command, session);
  add_policy_show(*command, session);
  add_policy_evaluate(*command, session);
}

}  // namespace weir::cli
