// SPDX-License-Identifier: MIT
#pragma once
// Period: writes a one-shot command's cpu.max right after the container's CFS period has begun, where a write
// gives least away (refill.h). Seen without BPF, by looking at nr_periods in a kept cpu.stat. The decision is
// pure, the loop around it thin.

#include <optional>

#include "weir/base/clock.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/change.h"
#include "weir/limits/refill.h"

namespace weir::limits {

/// A write of cpu.max that waits for its moment. Pure.
class Turn {
 public:
  enum class Verdict {
    wait,
    begun,        ///< a period has just begun
    not_running,  ///< nothing runs, so nothing is used up; or all is throttled, and a raise is urgent
    late,         ///< the bound is over
  };
  Turn(const CpuLook& first, const cgroup::CpuMax& before, const cgroup::CpuMax& after);
  Verdict see(const CpuLook& look);

 private:
  CpuLook first_, moved_;  ///< moved_: since when the usage stands still
  nanoseconds bound_;
  bool raise_;
};

/// How often nr_periods is looked at.
inline constexpr microseconds kPoll{200};

/// How long all the waits of one command may take together: others wait for the journal meanwhile.
inline constexpr nanoseconds kPatience = std::chrono::seconds(2);

/// Waits for the right moment to write `change` of cpu.max, if the write before it (`last`, of the same
/// cgroup) is at most ten periods old and there is patience left, which it uses up; at once otherwise.
/// Returns what the write will grant; nothing where the cgroup counts no periods.
std::optional<Refill> await_turn(const cgroup::Dir& dir, const Change& change,
                                 const std::optional<Refill>& last, const Clock& clock,
                                 nanoseconds& patience);

}  // namespace weir::limits
