// SPDX-License-Identifier: MIT
#include "weir/latency/loan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::latency {
namespace {

constexpr std::string_view kReason = "weir latency";

Result<limits::Journal> open_journal(const HostPaths& paths) {
  WEIR_TRY(std::string boot_id, limits::read_boot_id(paths));
  return limits::Journal::open(paths.run_dir, std::move(boot_id));
}

}  // namespace

Result<Loan> Loan::take(const HostPaths& paths, const limits::Wanted& container,
                        const std::vector<cgroup::Setting>& settings, const Clock& clock) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(paths.cgroup_root));
  const limits::Caller caller = limits::read_caller(paths);
  WEIR_TRY(
      limits::Plan plan,
      limits::make_plan(
          *root,
          {.targets = {{.target = container.target, .container = container.container, .settings = settings}},
           .guarded = {.own_cgroup = limits::read_own_cgroup(paths), .user = caller.login_uid},
           .force = limits::Force::no}));
  for (const limits::Outcome& outcome : plan.outcomes())
    if (outcome.error) return std::unexpected(*outcome.error);
  WEIR_TRY(limits::Journal journal, open_journal(paths));
  WEIR_TRY(const limits::Applied applied,
           limits::apply(plan, journal, clock, {.who = caller, .reason = std::string(kReason)}));
  std::chrono::nanoseconds time{0};
  for (const limits::Outcome& outcome : plan.outcomes())
    if (outcome.status == limits::Status::changed) time = outcome.change.time;
  Loan loan(paths, applied.epoch, time);
  for (const limits::Outcome& outcome : plan.outcomes()) {
    if (!outcome.error) continue;
    std::ignore = loan.give_back();
    return std::unexpected(*outcome.error);
  }
  return loan;
}

Result<std::vector<std::string>> Loan::undo() const {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(paths_.cgroup_root));
  WEIR_TRY(limits::Journal journal, open_journal(paths_));
  WEIR_TRY(limits::History history, journal.read());
  // Force: the race alternates values, so the kernel may hold another one than the journal's.
  const limits::UndoResult result =
      limits::undo(*root, std::move(history), &journal,
                   {.selection = {.kind = limits::Selection::Kind::epoch, .epoch = epoch_, .time = time_},
                    .force = limits::Force::yes,
                    .by = std::string(kReason)});
  std::vector<std::string> failures;
  for (const limits::Outcome& outcome : result.outcomes)
    if (outcome.error && outcome.status != limits::Status::gone) failures.push_back(outcome.error->message());
  if (result.trouble) failures.push_back(result.trouble->message());
  return failures;
}

std::vector<std::string> Loan::give_back() {
  if (epoch_ == 0) return {};
  auto failures = undo();
  epoch_ = 0;
  return failures ? std::move(*failures) : std::vector{failures.error().message()};
}

}  // namespace weir::latency
