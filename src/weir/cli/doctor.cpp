// SPDX-License-Identifier: MIT
// `weir doctor`: what of this host Weir can use; --fix and --undo: the host set-up that is safe.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/cli/command.h"
#include "weir/cli/doctor_text.h"
#include "weir/doctor/check.h"
#include "weir/doctor/setup.h"

namespace weir::cli {
namespace {

struct Options {
  bool fix = false, undo = false, dry_run = false;
};

int show(Session& session) {
  const auto examined = doctor::examine(session.paths);
  const Terminal& terminal = session.terminal;
  fmt::print(terminal.out, "{}",
             session.json ? doctor_json(examined) : doctor_text(examined, terminal.columns, terminal.colour));
  return doctor::usable(examined) ? kDone : kHostCannot;
}

Json to_json(const doctor::Step& step, std::string_view status, const std::string& why) {
  return {{"kind", std::string(doctor::to_string(step.kind))},
          {"subject", step.subject},
          {"before", step.before},
          {"after", step.after},
          {"status", std::string(status)},
          {"why", why}};
}

void print_json(const Session& session, Json steps) {
  fmt::print(session.terminal.out, "{}\n", dump_json({{"schema", 1}, {"steps", std::move(steps)}}));
}

int dry_run(const Session& session, const std::vector<doctor::Step>& steps) {
  Json json = Json::array();
  for (const doctor::Step& step : steps) {
    json.push_back(to_json(step, "planned", ""));
    if (!session.json)
      fmt::print(session.terminal.out, "would {}\n  {}\n", terminal_safe(doctor::describe(step)),
                 terminal_safe(doctor::command(step, session.paths)));
  }
  if (session.json) print_json(session, std::move(json));
  return kDone;
}

Result<void> check_root(std::string_view option) {
  if (geteuid() == 0) return {};
  return std::unexpected(
      make_error(ErrorKind::refused, "", fmt::format("doctor {} needs root: it changes the host", option),
                 fmt::format("sudo weir doctor {}; weir doctor --fix --dry-run shows what it does", option)));
}

int fix(Session& session, bool only_show) {
  const auto steps = doctor::plan(session.paths);
  if (steps.empty() && !session.json) {
    fmt::print(session.terminal.out, "nothing to do\n");
    return kDone;
  }
  if (only_show) return dry_run(session, steps);
  if (const auto root = check_root("--fix"); !root) return report(session, root.error());
  if (!session.yes && !session.json) dry_run(session, steps);
  if (!steps.empty() && !confirm(session, "Do it? (weir doctor --undo takes it back)")) return kFailed;

  Json json = Json::array();
  const auto told = [&](const doctor::Step& step, const Result<void>& result) {
    json.push_back(to_json(step, result ? "done" : "failed", result ? "" : result.error().message()));
    if (session.json) return;
    fmt::print(session.terminal.out, "{}{}\n",
               result ? "" : "failed: ", terminal_safe(doctor::describe(step)));
    if (!result) fmt::print(session.terminal.out, "  {}\n", terminal_safe(result.error().message()));
  };
  const auto fixed = doctor::fix(session.paths, steps, told);
  if (session.json && !json.empty()) {
    print_json(session, std::move(json));
    return fixed ? kDone : kFailed;
  }
  if (!fixed) return report(session, fixed.error());
  if (session.json) print_json(session, Json::array());
  return kDone;
}

int undo(Session& session) {
  if (const auto root = check_root("--undo"); !root) return report(session, root.error());
  const auto results = doctor::undo(session.paths);
  if (!results) return report(session, results.error());
  int code = kDone;
  Json json = Json::array();
  for (const doctor::UndoResult& result : *results) {
    const std::string_view status = result.fate == doctor::Undone::taken_back      ? "taken back"
                                    : result.fate == doctor::Undone::changed_since ? "changed since"
                                                                                   : "left";
    if (result.fate == doctor::Undone::left) code = kFailed;
    json.push_back(to_json(result.step, status, result.why));
    if (session.json) continue;
    fmt::print(session.terminal.out, "{}: {}\n", status, terminal_safe(doctor::describe(result.step)));
    if (!result.why.empty()) fmt::print(session.terminal.out, "  {}\n", terminal_safe(result.why));
  }
  if (session.json)
    print_json(session, std::move(json));
  else if (results->empty())
    fmt::print(session.terminal.out, "nothing to take back\n");
  return code;
}

}  // namespace

void add_doctor(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("doctor", "Show what of this host Weir can use, and what each missing piece costs");
  auto options = std::make_shared<Options>();
  CLI::Option* fix_flag =
      command->add_flag("--fix", options->fix,
                        "Do the host set-up that is safe (asks; -y answers): perf_event_paranoid, "
                        "mounting tracefs and resctrl, controllers in cgroup.subtree_control");
  CLI::Option* undo_flag = command->add_flag("--undo", options->undo, "Take back what --fix did");
  command->add_flag("--dry-run", options->dry_run, "With --fix: only show what would be done")
      ->needs(fix_flag);
  undo_flag->excludes(fix_flag);
  command->footer(
      "Exit code: 0 when Weir can do its main job here, 3 when it cannot (no cgroup v2 with cpu and "
      "memory).\n"
      "Examples:\n"
      "  weir doctor\n"
      "  weir doctor --json | jq -r '.checks[] | select(.status != \"yes\") | .name'\n"
      "  sudo weir doctor --fix --dry-run\n"
      "  sudo weir doctor --undo");
  command->callback([&session, options] {
    session.action = [&session, options] {
      if (options->fix) return fix(session, options->dry_run);
      return options->undo ? undo(session) : show(session);
    };
  });
}

}  // namespace weir::cli
