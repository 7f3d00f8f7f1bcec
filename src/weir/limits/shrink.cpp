// SPDX-License-Identifier: MIT
#include "weir/limits/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "weir/base/text.h"
#include "weir/limits/footprint.h"

namespace weir::limits {
namespace {

using std::chrono::nanoseconds;
using namespace std::chrono_literals;
using Kind = ShrinkAction::Kind;

constexpr nanoseconds kTick = 25ms;
// Short, so that no write blocks for long: one in progress also holds up the removal of the cgroup, which has
// the lock over all cgroups meanwhile.
constexpr std::uint64_t kPiece = 32 * kMiB;
constexpr std::uint64_t kLargestPage = 64 * kKiB;
// Of one second, in two seconds one after the other: all tasks waited for memory half of the time, or half of
// the limit was reclaimed and read again.
constexpr double kMostStall = 0.5, kMostRefault = 0.5;
constexpr int kBadSeconds = 2;

nanoseconds settle_time(nanoseconds budget) { return budget / 4; }
nanoseconds hold_time(nanoseconds budget) { return budget / 15; }
nanoseconds time_to_act(nanoseconds budget) { return budget - budget / 10; }

}  // namespace

Bytes brake_of(cgroup::Knob knob, Bytes limit) {
  if (knob == cgroup::Knob::memory_high) return limit;
  const std::uint64_t brake = limit.count() - headroom(limit).count();
  return Bytes(brake - brake % kLargestPage);
}

Shrink::Shrink(const ShrinkGoal& goal)
    : goal_(goal),
      brake_(brake_of(goal.knob, goal.limit)),
      slack_(headroom(goal.limit).count() / 2),
      high_(goal.high_before) {}

ShrinkAction Shrink::next(const ShrinkSample& now) {
  if (!first_) first_ = second_ = now;
  peak_need_ = std::max(peak_need_, now.memory.need);
  if (auto why = trouble(now)) return {.kind = Kind::revert, .why = std::move(why)};
  least_seen_ = std::min(least_seen_, now.memory.need);
  most_seen_ = std::max(most_seen_, now.memory.need);
  most_together_ = std::max(most_together_, Bytes(now.memory.need.count() + now.growth.count()));
  const nanoseconds spent = now.at - since_;
  switch (stage_) {
    case Stage::squeeze:
      return squeeze(now);
    case Stage::settle:
      if (now.memory.use.count() > brake_.count() + slack_.count())  // the brake slipped: not calm yet
        return enter(Stage::squeeze, now, squeeze(now));
      if (spent < settle_time(goal_.budget)) break;
      if (goal_.knob == cgroup::Knob::memory_high) return {.kind = Kind::finish};
      if (auto why = too_restless()) return {.kind = Kind::revert, .why = std::move(why)};
      return enter(Stage::hold, now, {.kind = Kind::write_max});
    case Stage::hold:
      if (auto why = too_restless()) return {.kind = Kind::revert, .why = std::move(why)};
      if (spent >= hold_time(goal_.budget)) return {.kind = Kind::finish};
      break;
  }
  return {.kind = Kind::wait, .span = kTick};
}

ShrinkAction Shrink::enter(Stage stage, const ShrinkSample& now, ShrinkAction action) {
  stage_ = stage;
  since_ = now.at;
  return action;
}

ShrinkAction Shrink::squeeze(const ShrinkSample& now) {
  const Bytes use = now.memory.use;
  // Never above what it was, and never below the use by more than the last step, so that the container is
  // held where it is instead of being slowed down for all that is above.
  if (const Bytes high = std::max(brake_, use); Limit(high) < high_) {
    high_ = Limit(high);
    return {.kind = Kind::lower_high, .bytes = high};
  }
  if (use <= brake_) {
    reclaimed_from_.reset();
    least_seen_ = most_seen_ = most_together_ = now.memory.need;
    return enter(Stage::settle, now, {.kind = Kind::wait, .span = kTick});
  }
  // Nothing came of the last piece: it is dirty, or in use just now. Not at once again.
  if (std::exchange(reclaimed_from_, std::nullopt).value_or(Bytes(UINT64_MAX)) <= use)
    return {.kind = Kind::wait, .span = kTick};
  reclaimed_from_ = use;
  return {.kind = Kind::reclaim, .bytes = Bytes(std::min(kPiece, use.count() - brake_.count()))};
}

std::optional<Error> Shrink::trouble(const ShrinkSample& now) {
  if (now.memory.need > brake_) return does_not_fit(goal_.knob, goal_.limit, now.memory.need);
  if (stage_ == Stage::hold) {
    if (now.oom_kills > first_->oom_kills)
      return make_error(ErrorKind::failed, "", "an OOM kill came while the new limit stood");
    if (now.memory.use.count() > brake_.count() + slack_.count())
      return make_error(ErrorKind::failed, "",
                        fmt::format("{} came into use, which leaves less than half of the headroom",
                                    format_bytes(now.memory.use)));
  } else {
    first_->oom_kills = now.oom_kills;  // those are for the limit that stood before
  }
  if (now.at - first_->at >= time_to_act(goal_.budget))
    return make_error(
        ErrorKind::failed, "",
        fmt::format("it did not fit within {}: {} are in use, {} of them needed",
                    format_duration(goal_.budget), format_bytes(now.memory.use), format_bytes(peak_need_)),
        "--budget gives it more time");
  return suffering(now);
}

std::optional<Error> Shrink::too_restless() const {
  const std::string_view hint = "--force does it anyway: the kernel reclaims, then kills until it fits";
  if (most_together_ > brake_)
    return make_error(
        ErrorKind::failed, "",
        fmt::format("its processes need {} if they peak together: with {} of headroom that does not "
                    "fit below {}",
                    format_bytes(most_together_), format_bytes(headroom(goal_.limit)),
                    format_bytes(goal_.limit)),
        hint);
  const Bytes room((most_seen_.count() - least_seen_.count()) / 4);
  if (most_seen_.count() + room.count() <= brake_.count()) return std::nullopt;
  return make_error(
      ErrorKind::failed, "",
      fmt::format("what it needs moves between {} and {}: with a quarter of that and {} of headroom it does "
                  "not fit below {}",
                  format_bytes(least_seen_), format_bytes(most_seen_), format_bytes(headroom(goal_.limit)),
                  format_bytes(goal_.limit)),
      hint);
}

std::optional<Error> Shrink::suffering(const ShrinkSample& now) {
  const std::chrono::duration<double> span = now.at - second_->at;
  if (span < 1s || (second_->stalled && !now.stalled)) return std::nullopt;
  const double refault = static_cast<double>(now.refaulted.count() - second_->refaulted.count()) /
                         static_cast<double>(goal_.limit.count()) / span.count();
  double stall = 0;
  if (now.stalled && second_->stalled)
    stall = std::chrono::duration<double>(*now.stalled - *second_->stalled) / span;
  second_ = now;
  if (stall <= kMostStall && refault <= kMostRefault)
    bad_seconds_ = 0;
  else
    ++bad_seconds_;
  if (bad_seconds_ < kBadSeconds) return std::nullopt;
  if (stall > kMostStall)
    return make_error(
        ErrorKind::failed, "",
        fmt::format("it suffers: for {:.0f} % of a second all its tasks waited for memory", stall * 100));
  return make_error(ErrorKind::failed, "",
                    fmt::format("it suffers: {} a second are reclaimed and read again",
                                format_bytes(Bytes(static_cast<std::uint64_t>(
                                    refault * static_cast<double>(goal_.limit.count()))))));
}

}  // namespace weir::limits
