// SPDX-License-Identifier: MIT
// `weir guard`: stays, and sees to it that limits hold: tells who changes them, and by rule puts them back.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/fd.h"
#include "weir/bpf/knob_watch.h"
#include "weir/bpf/period_start.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/asked.h"
#include "weir/cli/command.h"
#include "weir/cli/guard_text.h"
#include "weir/cli/signals.h"
#include "weir/limits/caller.h"
#include "weir/limits/regulator.h"
#include "weir/limits/stay_lock.h"
#include "weir/limits/watch.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

/// How often everything is looked at again, and rules are matched with what runs.
constexpr std::chrono::seconds kRound{1};

class Guard {
 public:
  Guard(Session& session, const Asked& asked, cgroup::Dir& root, limits::Watch& watch,
        limits::Regulator& regulator)
      : session_(session), asked_(asked), root_(root), watch_(watch), regulator_(regulator) {}

  /// Until a signal comes.
  Result<void> run(int signals, int knobs) {
    nanoseconds round{0};
    for (;;) {
      if (clock_.monotonic() >= round) {
        WEIR_CHECK(look_again());
        round = clock_.monotonic() + kRound;
      }
      watch_.take_writes();
      WEIR_CHECK(watch_.turn());
      tell();
      if (wait_for(std::array{signals, knobs, regulator_.fd()}, std::min(round, regulator_.again())))
        return {};
    }
  }

 private:
  Result<void> look_again() {
    if (asked_.targets.empty()) WEIR_CHECK(watch_.watch_journal());
    for (const Asked::One& one : asked_.targets) {
      const auto found = container::resolve(one.target, session_.paths, root_);
      if (!found) continue;  // not running now; it may come
      for (const Container& each : *found) watch_.hold(each, one.settings);
    }
    watch_.check_all();
    return {};
  }

  void tell() {
    for (const limits::WatchEvent& event : watch_.take_events()) {
      if (session_.json)
        fmt::print(session_.terminal.out, "{}\n", dump_json(guard_json(event), -1));
      else
        fmt::print(session_.terminal.out, "{}\n", guard_text(event));
    }
    session_.terminal.out.flush();
  }

  Session& session_;
  const Asked& asked_;
  cgroup::Dir& root_;
  limits::Watch& watch_;
  limits::Regulator& regulator_;
  const SystemClock clock_;
};

/// Rules that name what is there must be allowed; what is not there yet is looked at when it comes.
Result<void> check_rules(const Session& session, const Asked& asked, cgroup::Dir& root,
                         const limits::Guarded& guarded) {
  for (const Asked::One& one : asked.targets) {
    const auto found = container::resolve(one.target, session.paths, root);
    if (!found && found.error().kind == ErrorKind::invalid)
      return std::unexpected(at_place(one.where, found.error()));
    if (!found) {
      if (!session.json)
        warn(session, fmt::format("{}: does not run now; held once it does", one.target.text));
      continue;
    }
    for (const Container& each : *found) {
      auto dir = limits::open_target(root, each, guarded, limits::Force::no);
      if (!dir && dir.error().kind == ErrorKind::refused) {
        dir.error().subject = each.name;
        return std::unexpected(at_place(one.where, std::move(dir).error()));
      }
    }
  }
  return {};
}

Result<int> guard(Session& session, const SetOptions& options) {
  Asked asked;
  if (!options.words.empty() || !options.file.empty()) {
    WEIR_TRY(asked, parse_asked(session, options));
  }
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(std::string boot_id, limits::read_boot_id(session.paths));
  const limits::Caller caller = limits::read_caller(session.paths);
  const limits::Guarded guarded{.own_cgroup = limits::read_own_cgroup(session.paths),
                                .user = caller.login_uid};
  WEIR_CHECK(check_rules(session, asked, *root, guarded));
  WEIR_TRY(const Fd lock, limits::take_stay_lock(session.paths.run_dir, limits::Stay::guard));
  WEIR_TRY(limits::Journal journal, limits::Journal::open(session.paths.run_dir, boot_id));
  WEIR_TRY(const Fd signals, open_signals());

  const SystemClock clock;
  auto starts = bpf::PeriodStart::open();
  auto knobs = bpf::KnobWatch::open();
  limits::Regulator regulator(*root, std::move(journal), clock,
                              {.who = caller,
                               .reason = std::string(limits::kGuardReason),
                               .guarded = guarded,
                               .starts = starts ? &*starts : nullptr});
  limits::Watch watch({.root = *root,
                       .paths = session.paths,
                       .clock = clock,
                       .regulator = regulator,
                       .knobs = knobs ? &*knobs : nullptr,
                       .boot_id = std::move(boot_id)});
  fmt::print(
      session.terminal.err, "weir: watching by {}; Ctrl-C ends it, limits stay\n",
      knobs ? knobs->hook() : fmt::format("reading once a second (no BPF: {})", knobs.error().message()));
  session.terminal.err.flush();
  WEIR_CHECK(Guard(session, asked, *root, watch, regulator).run(signals.get(), knobs ? knobs->fd() : -1));
  return kDone;
}

}  // namespace

void add_guard(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("guard", "Stay, tell who changes limits, and hold those that must hold");
  command->footer(
      "Without a rule every limit that weir set is watched: who changes it is told, and the change stays.\n"
      "With rules (as in `weir set`, or a plan) their limits are set, put back whenever someone changes "
      "them,\n"
      "and set again on a container that was recreated. What weir itself changes later counts as the newer "
      "order.\n"
      "Examples:\n"
      "  weir guard                            who changes what weir set\n"
      "  weir guard web cpus=0.53 memory=1G    hold these\n"
      "  weir guard 'label:tier=db' cpu.weight=500\n"
      "  weir guard -f plan.yml --json >>guard.jsonl");
  const auto options = std::make_shared<SetOptions>();
  command->add_option("words", options->words, "Containers and the limits to hold; nothing: only watch")
      ->type_name("TARGET... KNOB=VALUE");
  command->add_option("-f,--file", options->file, "A plan of what to hold; see weir help apply")
      ->type_name("FILE");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, guard(session, *options)); };
  });
}

}  // namespace weir::cli
