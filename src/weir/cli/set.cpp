// SPDX-License-Identifier: MIT
// `weir set TARGET… knob=value…`, `weir set -f FILE` and `weir apply FILE`: everything is parsed (asked.h),
// resolved, looked at and checked before the first write.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/cli/asked.h"
#include "weir/cli/command.h"
#include "weir/cli/outcome.h"
#include "weir/cli/shrinking.h"
#include "weir/container/target.h"
#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/restore.h"
#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

/// When each part of the work ended, for --timing.
struct Times {
  nanoseconds begin{0}, resolved{0}, planned{0}, opened{0};
};

Result<limits::Request> resolve_all(const Session& session, const Asked& asked, cgroup::Dir& root) {
  limits::Request request{.targets = {}, .guarded = {}};
  for (const Asked::One& one : asked.targets) {
    auto found = container::resolve(one.target, session.paths, root);
    if (!found) return std::unexpected(at_place(one.where, std::move(found).error()));
    for (Container& each : *found)
      request.targets.push_back(
          {.target = one.target.text, .container = std::move(each), .settings = one.settings});
  }
  const limits::Caller caller = limits::read_caller(session.paths);
  request.guarded = {.own_cgroup = limits::read_own_cgroup(session.paths), .user = caller.login_uid};
  return request;
}

/// The command that takes this change back later, for --for.
Result<std::vector<std::string>> undo_command(const Session& session, const limits::Change& first,
                                              bool force) {
  WEIR_TRY(std::string program, limits::own_program(session.paths));
  std::error_code ignored;
  const auto absolute = [&](const std::string& path) {
    return std::filesystem::absolute(path, ignored).string();
  };
  std::vector<std::string> argv = {std::move(program), "--run-dir", absolute(session.paths.run_dir)};
  if (!session.paths.cgroup_root.empty()) {
    argv.emplace_back("--cgroup-root");
    argv.push_back(absolute(session.paths.cgroup_root));
  }
  argv.insert(argv.end(), {"undo", "--change", fmt::format("{}@{}", first.id.epoch, first.time.count())});
  if (force) argv.emplace_back("--force");
  return argv;
}

Result<void> arrange_restore(const Session& session, const limits::Change& first, nanoseconds after,
                             bool force) {
  WEIR_TRY(std::vector<std::string> argv, undo_command(session, first, force));
  const limits::RestoreLater later{
      .name = fmt::format("weir-restore-{}-{}", first.id.epoch, first.time.count()),
      .argv = std::move(argv),
      .after = std::chrono::ceil<std::chrono::microseconds>(after)};
  WEIR_CHECK(limits::run_later(later, session.paths));
  return {};
}

/// More than one container that the user did not name one by one: shows what would happen and asks.
bool agreed(const Session& session, const Asked& asked, const limits::Plan& plan) {
  const bool set = std::ranges::any_of(asked.targets, container::is_set, &Asked::One::target);
  if (!set || plan.targets.size() < 2) return true;
  if (!session.yes) {
    for (const limits::Outcome& outcome : plan.outcomes())
      fmt::print(session.terminal.err, "{}: {} -> {}\n", terminal_safe(outcome.change.name),
                 terminal_safe(describe(outcome.change.before)),
                 terminal_safe(value_text(outcome.change.after)));
  }
  return confirm(session, fmt::format("change {} containers?", plan.targets.size()));
}

/// A plan that cannot be carried out as a whole is not carried out in part.
void hold_back(limits::Plan& plan) {
  for (limits::PlannedTarget& target : plan.targets) {
    for (limits::Step& step : target.steps) {
      if (step.outcome.status != limits::Status::dry_run) continue;
      step.outcome.status = limits::Status::refused;
      step.outcome.error =
          make_error(ErrorKind::refused, "", "nothing was written, since another target or knob was refused");
    }
  }
}

void print_timing(const Session& session, const Times& times, const limits::Applied& applied,
                  nanoseconds end) {
  const auto us = [](nanoseconds span) { return static_cast<double>(span.count()) / 1e3; };
  const nanoseconds journal = times.opened - times.planned + applied.journal;
  fmt::print(session.terminal.err,
             "timing_us resolve={:.0f} plan={:.0f} journal={:.0f} write={:.0f} total={:.0f}\n",
             us(times.resolved - times.begin), us(times.planned - times.resolved), us(journal),
             us(applied.write), us(end - times.begin));
}

Result<int> set(Session& session, const SetOptions& options) {
  const SystemClock clock;
  Times times{.begin = clock.monotonic()};
  WEIR_TRY(const Asked asked, parse_asked(session, options));
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(limits::Request request, resolve_all(session, asked, *root));
  request.force = options.force ? limits::Force::yes : limits::Force::no;
  times.resolved = clock.monotonic();
  WEIR_TRY(limits::Plan plan, limits::make_plan(*root, request));
  times.planned = clock.monotonic();

  if (!plan.possible()) hold_back(plan);
  if (options.dry_run || !plan.has_work()) return show(session, plan.outcomes(), 0, Gone::is_failure);
  if (!agreed(session, asked, plan)) {
    fmt::print(session.terminal.err, "weir: nothing was changed\n");
    return kFailed;
  }
  times.planned = clock.monotonic();

  WEIR_TRY(std::string boot_id, limits::read_boot_id(session.paths));
  WEIR_TRY(limits::Journal journal,
           limits::Journal::open(session.paths.run_dir, std::move(boot_id),
                                 {.alive = [&](const limits::Change& change) {
                                   return limits::open_cgroup(*root, change).has_value();
                                 }}));
  times.opened = clock.monotonic();
  limits::Order order{.who = limits::read_caller(session.paths),
                      .reason = asked.reason,
                      .restore_after = asked.lasts,
                      .arrange_restore = {},
                      .patience = {}};
  if (asked.lasts.count() > 0)
    order.arrange_restore = [&](const limits::Change& first) {
      return arrange_restore(session, first, asked.lasts, options.force);
    };
  Shrinking shrinking(session);
  order.patience = shrinking.patience(asked.budget);
  WEIR_TRY(const limits::Applied applied, limits::apply(plan, journal, clock, order));
  const int code = show(session, plan.outcomes(), applied.epoch, Gone::is_failure);
  if (options.timing) print_timing(session, times, applied, clock.monotonic());
  return code;
}

std::string footer() {
  std::string text = "Knobs:\n";
  for (const cgroup::KnobInfo& knob : cgroup::knobs())
    text += fmt::format(
        "  {:<21}  {}\n",
        knob.short_form.empty() ? knob.file : fmt::format("{}, {}", knob.file, knob.short_form), knob.syntax);
  return text +
         "Examples:\n"
         "  weir set web cpus=1.5 memory=512M --reason 'load test'\n"
         "  weir set db io.max=/dev/sda:wbps=20M --for 10m\n"
         "  weir set 'label:tier=batch' cpu.weight=50 -y\n"
         "  weir set web memory=400M --dry-run\n"
         "Take it back: weir undo. What was changed: weir changes.";
}

void add_common(CLI::App& command, const std::shared_ptr<SetOptions>& options) {
  command.add_flag("--dry-run", options->dry_run, "Show old -> new and write nothing");
  command.add_flag("--force", options->force, "Also guarded cgroups, and cuts below what is in use");
  command.add_option("--for", options->lasts, "Take it back after this time, whatever happens to weir")
      ->type_name("TIME");
  command
      .add_option("--budget", options->budget,
                  "For memory that has to be shrunk before a cut, else taken back")
      ->type_name("TIME")
      ->capture_default_str();
  command.add_option("--reason", options->reason, "Why, for the journal")->type_name("TEXT");
}

void set_action(CLI::App& command, Session& session, const std::shared_ptr<SetOptions>& options) {
  command.callback([&session, options] {
    session.action = [&session, options] { return report(session, set(session, *options)); };
  });
}

}  // namespace

void add_set(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("set", "Change limits of containers now, so that it can be undone");
  command->footer(footer());
  const auto options = std::make_shared<SetOptions>();
  command->add_option("words", options->words, "Containers (see Targets in weir --help), and their limits")
      ->type_name("TARGET... KNOB=VALUE");
  command->add_option("-f,--file", options->file, "A plan of many changes instead; see weir help apply")
      ->type_name("FILE");
  add_common(*command, options);
  command->add_flag("--timing", options->timing)->group("");
  set_action(*command, session, options);
}

void add_apply(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("apply", "Change the limits that a plan names, all of them or none");
  command->footer(
      "A plan:\n"
      "  reason: the sale begins at nine\n"
      "  for: 2h\n"
      "  limits:\n"
      "    web: {cpus: 1.5, memory: 512M}\n"
      "    'label:tier=batch': {cpu.weight: 50}\n"
      "Examples:\n"
      "  weir apply plan.yml --dry-run\n"
      "  weir apply plan.yml -y");
  const auto options = std::make_shared<SetOptions>();
  command->add_option("plan", options->file, "The plan; - is stdin")->required()->type_name("FILE");
  add_common(*command, options);
  set_action(*command, session, options);
}

}  // namespace weir::cli
