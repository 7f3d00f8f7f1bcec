// SPDX-License-Identifier: MIT
#include "weir/limits/pace.h"

#include <algorithm>
#include <utility>

#include "weir/limits/period.h"

namespace weir::limits {
namespace {

/// A container whose timer has not run for so long does not run.
constexpr int kIdlePeriods = 10;
/// The longest that a write is put off.
constexpr int kMostPeriods = 100;

}  // namespace

Pace::Pace(std::unique_ptr<cgroup::File> cpu_stat, bpf::PeriodStart* starts, const Clock& clock)
    : cpu_stat_(std::move(cpu_stat)), starts_(starts), clock_(clock), last_start_(clock.monotonic()) {}

Pace::Pace(Pace&& other) noexcept
    : cpu_stat_(std::move(other.cpu_stat_)),
      starts_(other.starts_),
      clock_(other.clock_),
      slot_(std::exchange(other.slot_, std::nullopt)),
      look_(other.look_),
      since_(other.since_),
      allowance_(other.allowance_),
      seen_periods_(other.seen_periods_),
      last_start_(other.last_start_),
      looked_(other.looked_),
      again_(other.again_),
      phase_known_(other.phase_known_),
      begun_(other.begun_),
      granted_(other.granted_) {}

Pace::~Pace() {
  if (slot_) starts_->ignore(*slot_);
}

Result<Pace> Pace::open(const cgroup::Dir& dir, bpf::PeriodStart* starts, const Clock& clock) {
  WEIR_TRY(std::unique_ptr<cgroup::File> cpu_stat, dir.keep("cpu.stat", cgroup::Access::read));
  Pace pace(std::move(cpu_stat), starts, clock);
  WEIR_TRY(const CpuLook look, look_at_cpu(*pace.cpu_stat_, clock));
  pace.since_ = look;
  pace.seen_periods_ = look.periods;
  if (starts != nullptr) {
    // More containers than BPF has slots for are looked at instead.
    if (auto slot = starts->follow(dir.id())) pace.slot_ = *slot;
  }
  return pace;
}

bool Pace::has_begun(nanoseconds now, nanoseconds period) {
  if (slot_) {
    last_start_ = std::max(last_start_, starts_->last(*slot_));
    return std::exchange(begun_, false);
  }
  auto look = look_at_cpu(*cpu_stat_, clock_);
  if (!look) return true;  // gone: the write will say so
  look_ = *look;
  const bool watched = now - std::exchange(looked_, now) < period / 8;
  if (look->periods == seen_periods_) return false;
  seen_periods_ = look->periods;
  last_start_ = now;
  phase_known_ = watched;  // else it began some time ago
  return watched;
}

/// Without BPF: the timer keeps its phase, so that once it is known only its surroundings are watched.
nanoseconds Pace::next_look(nanoseconds now, nanoseconds period) const {
  constexpr std::chrono::milliseconds kEarly{2};
  const nanoseconds until_start = period - (now - last_start_) % period;
  return phase_known_ && until_start > kEarly ? now + until_start - kEarly : now + kPoll;
}

Pace::Moment Pace::see(const cgroup::CpuMax& limit, nanoseconds asked) {
  const nanoseconds now = clock_.monotonic();
  const nanoseconds period = limit.period;
  look_.reset();
  if (limit.quota.is_unlimited()) return {.now = true};
  if (!begun_ && now < again_) return {.now = false, .again = again_};
  const bool begun = has_begun(now, period);
  // A timer that is a little late says nothing: the host itself may have been held up.
  const nanoseconds quiet_at = last_start_ + period + period / 4,
                    idle_at = last_start_ + kIdlePeriods * period;
  if (now >= idle_at) return {.now = true};  // nothing has run for long
  if (begun || now >= quiet_at) {
    if (!look_) {
      auto look = look_at_cpu(*cpu_stat_, clock_);
      if (!look) return {.now = true};  // gone: the write will say so
      look_ = *look;
    }
    if (!since_) since_ = look_;  // from here on it is known what a write forgives
    allowance_.grow(now, limit);
    const microseconds forgiven = owed(*since_, *look_, limit);
    if (begun ? allowance_.covers(forgiven) : forgiven.count() == 0) return {.now = true};
    if (now - asked >= kMostPeriods * period) return {.now = true};
  }
  if (slot_) starts_->arm(*slot_);
  again_ = slot_ ? std::min(now < quiet_at ? quiet_at : idle_at, now + period) : next_look(now, period);
  return {.now = false, .again = again_};
}

bool Pace::covers_urgent(const cgroup::CpuMax& limit) {
  if (limit.quota.is_unlimited()) return true;
  allowance_.grow(clock_.monotonic(), limit);
  return allowance_.covers(limit.quota.value());
}

void Pace::wrote(const std::optional<CpuLook>& look, microseconds granted) {
  since_ = look;
  look_.reset();
  granted_ += granted;
  allowance_.spend(granted);
  again_ = nanoseconds(0);
  begun_ = false;
}

std::optional<Refill> Pace::book(const cgroup::CpuMax& before) {
  if (!look_ || !since_) {
    wrote(std::nullopt, {});
    return std::nullopt;
  }
  const Refill refill{.look = *look_, .granted = owed(*since_, *look_, before), .exact = true};
  wrote(refill.look, refill.granted);
  return refill;
}

Refill Pace::book_urgent(const cgroup::CpuMax& before, const cgroup::CpuMax& after) {
  const auto look = look_at_cpu(*cpu_stat_, clock_);
  Refill refill{.look = {}, .granted = most_granted(before, after), .exact = false};
  if (look) refill.look = *look;
  if (look && since_) {
    refill.granted = owed(*since_, *look, before);
    refill.exact = true;
  }
  wrote(look ? std::optional(*look) : std::nullopt, refill.granted);
  return refill;
}

}  // namespace weir::limits
