// SPDX-License-Identifier: MIT
#include "weir/limits/writer.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace weir::limits {
namespace {

using cgroup::Knob;
using cgroup::Setting;

/// What the kernel's bare "invalid argument" most likely means.
Error explain_refusal(const cgroup::Dir& dir, const Setting& setting, Error error) {
  if (error.err != EINVAL || !error.hint.empty()) return error;
  if (setting.knob == Knob::cpu_max) {
    if (const auto burst = dir.read("cpu.max.burst"); burst && *burst != "0\n")
      return std::move(error).with_hint("cpu.max.burst may be above the new quota: set both together");
  }
  if (setting.knob == Knob::cpu_max_burst)
    return std::move(error).with_hint("the burst may not exceed the quota of cpu.max");
  if (setting.knob == Knob::cpu_weight)
    return std::move(error).with_hint("a cgroup with cpu.idle 1 has no weight to set");
  return error;
}

/// What one apply() works with.
struct Desk {
  Journal& journal;
  const Clock& clock;
  Applied applied;

  Result<void> note(const Change& change) {
    const auto start = clock.monotonic();
    auto noted = journal.append(change);
    applied.journal += clock.monotonic() - start;
    return noted;
  }
};

Outcome write_step(PlannedTarget& target, Step& step, Force force, Change change, Desk& desk) {
  Outcome now = look(*target.dir, step.wanted, force);
  change.before = now.change.before;
  change.after = now.change.after;
  if (now.status != Status::dry_run)
    return {.change = std::move(change), .status = now.status, .error = std::move(now.error)};
  if (auto noted = desk.note(change); !noted) {
    Error error = std::move(noted).error().context("nothing was changed, since it could not be journalled");
    return {.change = std::move(change), .status = Status::failed, .error = std::move(error)};
  }
  const auto start = desk.clock.monotonic();
  Outcome outcome = write_change(*target.dir, std::move(change));
  desk.applied.write += desk.clock.monotonic() - start;
  // The intent is there, so a lost outcome costs nothing that undo needs.
  if (auto noted = desk.note(outcome.change); !noted && !outcome.error)
    outcome.change.note = noted.error().message();
  return outcome;
}

}  // namespace

Outcome write_change(cgroup::Dir& dir, Change change) {
  auto written = cgroup::write_setting(dir, change.after);
  if (written) {
    change.phase = Phase::done;
    return {.change = std::move(change), .status = Status::changed, .error = {}};
  }
  Error error = explain_refusal(dir, change.after, std::move(written).error());
  change.note = error.message();
  auto now = cgroup::read_setting(dir, change.before);
  if (now && *now != change.before &&
      *now != change.after) {  // the kernel made something else of it: not what was asked for
    (void)dir.write(cgroup::info(change.before.knob).file, change.before.to_write());
    now = cgroup::read_setting(dir, change.before);
  }
  if (error.kind == ErrorKind::gone || (!now && now.error().kind == ErrorKind::gone)) {
    change.phase = Phase::gone;
    return {.change = std::move(change), .status = Status::gone, .error = std::move(error)};
  }
  if (now && *now == change.before)
    change.phase = Phase::failed;
  else if (now)
    change.after = *now;  // stays in force, so that undo can take it back
  if (change.phase != Phase::failed) change.phase = Phase::done;
  return {.change = std::move(change), .status = Status::failed, .error = std::move(error)};
}

Result<Applied> apply(Plan& plan, Journal& journal, const Clock& clock, const Order& order) {
  Desk desk{.journal = journal, .clock = clock, .applied = {}};
  const std::uint64_t epoch = journal.next_epoch();
  const std::chrono::nanoseconds time = clock.realtime();
  std::uint32_t index = 0;
  for (PlannedTarget& target : plan.targets) {
    for (Step& step : target.steps) {
      if (step.outcome.status != Status::dry_run) continue;
      Change change = step.outcome.change;
      change.id = {.epoch = epoch, .index = index};
      change.time = time;
      if (order.restore_after.count() > 0) change.restore_at = time + order.restore_after;
      change.who = order.who;
      change.reason = order.reason;
      if (index++ == 0 && order.arrange_restore) WEIR_CHECK(order.arrange_restore(change));
      step.outcome = write_step(target, step, plan.force, std::move(change), desk);
    }
  }
  if (index > 0) desk.applied.epoch = epoch;
  return desk.applied;
}

}  // namespace weir::limits
