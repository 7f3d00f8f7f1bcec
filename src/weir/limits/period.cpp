// SPDX-License-Identifier: MIT
#include "weir/limits/period.h"

#include <thread>

namespace weir::limits {
namespace {

constexpr int kRecentPeriods = 10;
/// usage_usec stands still between two ticks even of a task that runs; the slowest tick is 10 ms (HZ=100).
constexpr std::chrono::milliseconds kStandsStill{11};

bool is_raise(const cgroup::CpuMax& before, const cgroup::CpuMax& after) {
  const auto from = before.cpus(), to = after.cpus();
  if (from.is_unlimited() || to.is_unlimited()) return to.is_unlimited();
  return to.value() > from.value();
}

}  // namespace

Turn::Turn(const CpuLook& first, const cgroup::CpuMax& before, const cgroup::CpuMax& after)
    : first_(first),
      moved_(first),
      bound_(before.period + before.period / 4),
      raise_(is_raise(before, after)) {}

Turn::Verdict Turn::see(const CpuLook& look) {
  if (look.periods != first_.periods) return Verdict::begun;
  if (look.usage != moved_.usage) moved_ = look;
  if (raise_ && look.at - moved_.at >= kStandsStill) return Verdict::not_running;
  return look.at - first_.at >= bound_ ? Verdict::late : Verdict::wait;
}

std::optional<Refill> await_turn(const cgroup::Dir& dir, const Change& change,
                                 const std::optional<Refill>& last, const Clock& clock,
                                 nanoseconds& patience) {
  const auto before = cgroup::parse_cpu_max(change.before.text);
  const auto after = cgroup::parse_cpu_max(change.after.text);
  const auto file = dir.keep("cpu.stat", cgroup::Access::read);
  if (!before || !after || !file) return std::nullopt;
  auto look = look_at_cpu(**file, clock);
  if (!look) return std::nullopt;
  const bool recent = last && look->at - last->look.at < kRecentPeriods * before->period;
  if (recent && patience > nanoseconds(0) && !before->quota.is_unlimited()) {
    const nanoseconds start = look->at;
    Turn turn(*look, *before, *after);
    auto polls_left = 2 * before->period / kPoll;  // whatever the clock says
    while (look && turn.see(*look) == Turn::Verdict::wait && polls_left-- > 0) {
      std::this_thread::sleep_for(kPoll);
      look = look_at_cpu(**file, clock);
    }
    if (!look) return std::nullopt;
    patience -= look->at - start;
  }
  if (recent || before->quota.is_unlimited())
    return Refill{
        .look = *look, .granted = last ? owed(last->look, *look, *before) : microseconds(0), .exact = true};
  return Refill{.look = *look, .granted = most_granted(*before, *after), .exact = false};
}

}  // namespace weir::limits
