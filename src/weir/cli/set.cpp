// SPDX-License-Identifier: MIT
// `weir set TARGET… knob=value…`, `weir set -f FILE` and `weir apply FILE`: everything is parsed (asked.h),
// resolved, looked at and checked before the first write.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/cli/asked.h"
#include "weir/cli/command.h"
#include "weir/cli/later.h"
#include "weir/cli/outcome.h"
#include "weir/cli/shrinking.h"
#include "weir/cli/sync.h"
#include "weir/container/target.h"
#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
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

/// Takes this change back later, for --for.
Result<void> arrange_restore(const Session& session, const limits::Change& first, nanoseconds after,
                             bool force) {
  std::vector<std::string> words = {"undo", "--change",
                                    fmt::format("{}@{}", first.id.epoch, first.time.count())};
  if (force) words.emplace_back("--force");
  return run_weir_later(session.paths, fmt::format("weir-restore-{}-{}", first.id.epoch, first.time.count()),
                        std::move(words), after);
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

/// What set() works with.
struct Desk {
  const Asked& asked;
  const SetOptions& options;
  const limits::Request& request;
  const cgroup::Dir& root;
};

/// The writes, under the journal's lock.
Result<limits::Applied> carry_out(const Session& session, const Desk& desk, limits::Plan& plan,
                                  Times& times) {
  const SystemClock clock;
  WEIR_TRY(std::string boot_id, limits::read_boot_id(session.paths));
  WEIR_TRY(limits::Journal journal,
           limits::Journal::open(session.paths.run_dir, std::move(boot_id),
                                 {.alive = [&](const limits::Change& change) {
                                   return limits::open_cgroup(desk.root, change).has_value();
                                 }}));
  times.opened = clock.monotonic();
  limits::Order order{.who = limits::read_caller(session.paths),
                      .reason = desk.asked.reason,
                      .restore_after = desk.asked.lasts,
                      .arrange_restore = {},
                      .patience = {}};
  if (desk.asked.lasts.count() > 0)
    order.arrange_restore = [&](const limits::Change& first) {
      return arrange_restore(session, first, desk.asked.lasts, desk.options.force);
    };
  Shrinking shrinking(session);
  order.patience = shrinking.patience(desk.asked.budget);
  return limits::apply(plan, journal, clock, order);
}

/// What the runtimes do not know of yet; nothing where the journal cannot be read.
Audience audience_of(const Session& session, const Desk& desk, const std::vector<limits::Outcome>& outcomes) {
  const auto boot_id = limits::read_boot_id(session.paths);
  auto history = boot_id ? limits::read_history(session.paths.run_dir, *boot_id) : limits::History{};
  if (!boot_id || !history) return {};
  return audience(desk.request, outcomes, std::move(*history), *boot_id);
}

/// The outcomes, and the telling of Docker and systemd where that is asked for.
int show_and_tell(const Session& session, const Desk& desk, const limits::Plan& plan, std::uint64_t epoch) {
  const std::vector<limits::Outcome> outcomes = plan.outcomes();
  if (!desk.asked.sync) {
    const int code = show(session, outcomes, epoch, Gone::is_failure);
    if (!session.terminal.err_tty || session.json || epoch == 0) return code;
    if (const Audience audience = audience_of(session, desk, outcomes); !audience.untold.empty())
      fmt::print(session.terminal.err, "note: {} undoes it; --sync tells it too\n",
                 terminal_safe(would_undo(audience.untold.front().subject)));
    return code;
  }
  // For people the limit's line comes first: it is in force already.
  const int shown = session.json ? kDone : show(session, outcomes, epoch, Gone::is_failure);
  const Audience audience = audience_of(session, desk, outcomes);
  auto told = tell_runtimes(session, desk.root, audience, desk.options.wait ? Wait::yes : Wait::no);
  const int code = session.json ? show(session, outcomes, epoch, Gone::is_failure,
                                       told.value_or(std::vector<limits::SyncRecord>()))
                                : shown;
  for (const std::string& name : audience.nobody)
    if (!session.json)
      fmt::print(session.terminal.out, "{}: neither docker nor systemd has to be told\n",
                 terminal_safe(name));
  if (!told) {
    warn(session, fmt::format("the limit is in force, but nobody was told: {}", told.error().message()));
    return code == kDone ? kFailed : code;
  }
  if (!session.json) print_syncs(session, *told, What::limits);
  const bool failed = any_failed(*told);
  return code == kDone && failed ? kFailed : code;
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

  const Desk desk{.asked = asked, .options = options, .request = request, .root = *root};
  if (!plan.possible()) hold_back(plan);
  if (options.dry_run || !plan.possible()) return show(session, plan.outcomes(), 0, Gone::is_failure);
  if (!plan.has_work()) return show_and_tell(session, desk, plan, 0);
  if (!agreed(session, asked, plan)) {
    fmt::print(session.terminal.err, "weir: nothing was changed\n");
    return kFailed;
  }
  times.planned = clock.monotonic();

  WEIR_TRY(const limits::Applied applied, carry_out(session, desk, plan, times));
  const int code = show_and_tell(session, desk, plan, applied.epoch);
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
         "  weir set web cpus=1.5 --sync\n"
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
  command.add_flag("--sync", options->sync, "Tell Docker and systemd as well, so that they keep it");
  command.add_flag("--wait", options->wait, "Wait until they know (with --sync)");
  command.add_flag("--no-sync", options->no_sync, "Tell nobody, whatever the plan says");
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
      "  sync: yes\n"
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
