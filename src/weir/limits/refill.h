// SPDX-License-Identifier: MIT
#pragma once
// Refill: what a write of cpu.max grants beyond the limit. The kernel fills the whole quota again at every
// write, even of the same value, and forgets what the run queues overdrew (tg_set_cfs_bandwidth() in
// kernel/sched/core.c). So a limit that is written often holds nothing: 20 % rewritten every 10 ms is 99 %.
// Right after a period has begun a write grants least: then only what was overdrawn, at most a tick a CPU.
// Pure, but for the one read.

#include <chrono>
#include <cstdint>
#include <optional>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"

namespace weir::limits {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

/// What cpu.stat said at an instant: the kernel's own account of what its bucket gave.
struct CpuLook {
  nanoseconds at{0};          ///< CLOCK_MONOTONIC
  std::uint64_t periods = 0;  ///< nr_periods: how often the quota was filled by the period's timer
  microseconds usage{0};      ///< usage_usec
  bool operator==(const CpuLook&) const = default;
};

/// `cpu_stat` is the cgroup's cpu.stat, kept open. Errors: gone; absent where the cpu controller is off.
Result<CpuLook> look_at_cpu(cgroup::File& cpu_stat, const Clock& clock);

/// A write of cpu.max, as it is journalled.
struct Refill {
  CpuLook look;             ///< right before it was written
  microseconds granted{0};  ///< what it gave beyond the limit that was in force; an upper bound if not exact
  bool exact = false;       ///< known from the write before it; else the most that it can have been
  bool operator==(const Refill&) const = default;
};

/// What a write now gives beyond `limit`, which has been in force since the write that `since` looked at:
/// used up by then and forgiven. Zero without a limit.
microseconds owed(const CpuLook& since, const CpuLook& now, const cgroup::CpuMax& limit);

/// The most that a write can give when nothing is known of the one before: what is left is filled up to the
/// new quota, and what was used of the old one is forgotten.
microseconds most_granted(const cgroup::CpuMax& before, const cgroup::CpuMax& after);

/// What the writes of one container may give away: a share of what its limits allowed, saved up for a while,
/// so that a raise after a calm time comes at once and one after another does not.
class Allowance {
 public:
  static constexpr double kShare = 0.02;
  /// Saved up for at most so long; at the beginning there is a period's worth of it.
  static constexpr std::chrono::seconds kSaved{20};

  /// `limit` has been in force since the last call; CLOCK_MONOTONIC.
  void grow(nanoseconds now, const cgroup::CpuMax& limit);
  void spend(microseconds granted) { left_ -= static_cast<double>(granted.count()); }
  [[nodiscard]] bool covers(microseconds granted) const {
    return static_cast<double>(granted.count()) <= left_;
  }

 private:
  double left_ = 0;  ///< microseconds
  std::optional<nanoseconds> grown_;
};

}  // namespace weir::limits
