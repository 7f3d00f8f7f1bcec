// SPDX-License-Identifier: MIT
#include "weir/limits/writer.h"

#include <fmt/format.h>

#include <cerrno>
#include <ranges>
#include <span>
#include <utility>

#include "weir/limits/footprint.h"
#include "weir/limits/period.h"
#include "weir/limits/shrink_lock.h"

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
  nanoseconds patience = kPatience;

  Result<void> note(const Change& change) {
    const auto start = clock.monotonic();
    auto noted = journal.append(change);
    applied.journal += clock.monotonic() - start;
    return noted;
  }
};

std::optional<Refill> await_turn(const cgroup::Dir& dir, const Change& change, Desk& desk) {
  const auto last = desk.journal.last(place(change));
  return limits::await_turn(dir, change, last && *last ? (*last)->refill : std::nullopt, desk.clock,
                            desk.patience);
}

Outcome write_step(PlannedTarget& target, Step& step, Force force, Change change, Desk& desk) {
  if (change.after.knob == Knob::cpu_max) change.refill = await_turn(*target.dir, change, desk);
  Outcome now = look(*target.dir, step.wanted, force);
  change.before = now.change.before;
  change.after = now.change.after;
  if (now.status == Status::dry_run && now.shrink) {
    now.status = Status::refused;
    now.error = make_error(ErrorKind::refused, "", "it has come near its new limit meanwhile", "try again");
  }
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

Result<void> take_back(cgroup::Dir& dir, const Change& change) {
  WEIR_TRY(const Setting now, cgroup::read_setting(dir, change.before));
  if (now != change.after)
    return std::unexpected(
        make_error(ErrorKind::refused, "", fmt::format("someone else changed it since: now {}", now.text)));
  WEIR_CHECK(check_use(dir, change.before));
  return cgroup::write_setting(dir, change.before);
}

/// Puts one change of a failed plan back, unless that would do harm.
void take_back(const Write& write, Desk& desk) {
  Outcome& outcome = write.step->outcome;
  Change& change = outcome.change;
  cgroup::Dir& dir = *write.target->dir;
  const auto start = desk.clock.monotonic();
  auto taken = take_back(dir, change);
  desk.applied.write += desk.clock.monotonic() - start;
  if (taken) {
    change.phase = Phase::undone;
    change.note = "another step of the same change failed";
    outcome.status = Status::rolled_back;
  } else if (taken.error().kind == ErrorKind::gone) {
    change.phase = Phase::gone;
    outcome.status = Status::gone;
    outcome.error = std::move(taken).error();
  } else {
    outcome.status = Status::failed;
    outcome.error = std::move(taken).error().context("it could not be taken back and stays in force");
    return;
  }
  if (auto noted = desk.note(change); !noted) outcome.error = std::move(noted).error();
}

/// Last first, so that the kernel accepts each.
void roll_back(std::span<const Write> writes, Desk& desk) {
  for (const Write& write : std::views::reverse(writes))
    if (write.step->outcome.status == Status::changed) take_back(write, desk);
}

/// The cgroups of which memory limits are written.
std::vector<CgroupId> memory_of(std::span<const Write> writes) {
  std::vector<CgroupId> cgroups;
  for (const Write& write : writes)
    if (limits_memory(write.step->wanted.knob)) cgroups.push_back(write.target->dir->id());
  return cgroups;
}

/// One that was not tried.
void leave(Outcome& outcome) {
  if (outcome.status != Status::dry_run) return;
  outcome.status = Status::refused;
  outcome.error =
      make_error(ErrorKind::refused, "", "nothing was written, since another step of the same change failed");
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
  const std::vector<Write> writes = write_order(plan);
  if (writes.empty()) return desk.applied;
  WEIR_CHECK(await_shrinks(journal, memory_of(writes), order.patience.interrupted));
  desk.applied.epoch = journal.next_epoch();
  const std::chrono::nanoseconds time = clock.realtime();
  for (std::size_t n = 0; n < writes.size(); ++n) {
    Change& change = writes[n].step->outcome.change;
    change.id = {.epoch = desk.applied.epoch, .index = static_cast<std::uint32_t>(n)};
    change.time = time;
    if (order.restore_after.count() > 0) change.restore_at = time + order.restore_after;
    change.who = order.who;
    change.reason = order.reason;
  }
  if (order.arrange_restore) WEIR_CHECK(order.arrange_restore(writes.front().step->outcome.change));
  if (plan.force == Force::no)
    WEIR_CHECK(shrink_first(writes, order.patience, journal,
                            [&](const Change& change) { return desk.note(change); }));
  for (const auto& [target, step] : writes) {
    Outcome& outcome = step->outcome;
    if (outcome.status == Status::dry_run)
      outcome = write_step(*target, *step, plan.force, outcome.change, desk);
    if (outcome.status != Status::failed && outcome.status != Status::refused) continue;
    roll_back(writes, desk);
    for (const Write& rest : writes) leave(rest.step->outcome);
    break;
  }
  return desk.applied;
}

}  // namespace weir::limits
