// SPDX-License-Identifier: MIT
#pragma once
// Shrink: how a memory limit is lowered so that the kernel never kills for it. Pure: samples in, the next
// action out; shrink_run.h carries the actions out.
//
//   squeeze   memory.high follows the use down as a brake, memory.reclaim takes a piece at a time
//   settle    memory.high stands `headroom` below the new limit: what is needed must stay below it for a
//   while hold      memory.max is written; the same, a little longer, before memory.high goes back
//
// Anonymous memory that wants above the brake goes there, slowly: that is how a need that grows is seen
// before it meets memory.max. A cut of memory.high alone ends after settle.

#include <chrono>
#include <cstdint>
#include <optional>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/change.h"

namespace weir::limits {

struct ShrinkGoal {
  cgroup::Knob knob = cgroup::Knob::memory_max;  ///< or memory_high
  Bytes limit;                                   ///< the new one
  Limit<Bytes> high_before = Limit<Bytes>::unlimited();
  std::chrono::nanoseconds budget{0};  ///< for all of it; a tenth is kept back for taking back
};

struct ShrinkSample {
  std::chrono::nanoseconds at{0};  ///< monotonic
  Footprint memory;
  Bytes growth;                 ///< how much more it needs if all its processes peak together (peaks.h)
  std::uint64_t oom_kills = 0;  ///< since the cgroup began
  Bytes refaulted;              ///< reclaimed and read again, since the cgroup began
  std::optional<std::chrono::microseconds> stalled;  ///< total of memory.pressure's full, when it was read
};

struct ShrinkAction {
  enum class Kind {
    lower_high,  ///< memory.high := bytes
    reclaim,     ///< memory.reclaim of bytes
    write_max,   ///< memory.max := the limit
    wait,        ///< for `span`, then sample again
    finish,      ///< it fits; a memory.high that was only the brake goes back
    revert,      ///< all goes back; `why`
  };
  Kind kind = Kind::wait;
  Bytes bytes{};
  std::chrono::nanoseconds span{0};
  std::optional<Error> why = std::nullopt;
};

/// Where memory.high stands as the brake of this cut.
Bytes brake_of(cgroup::Knob knob, Bytes limit);

class Shrink {
 public:
  explicit Shrink(const ShrinkGoal& goal);
  /// What to do now. After finish or revert it is over.
  ShrinkAction next(const ShrinkSample& now);
  /// The greatest need of all samples.
  [[nodiscard]] Bytes peak_need() const { return peak_need_; }

 private:
  enum class Stage { squeeze, settle, hold };
  [[nodiscard]] std::optional<Error> trouble(const ShrinkSample& now);
  [[nodiscard]] std::optional<Error> suffering(const ShrinkSample& now);
  /// Why the need seen since the use came down leaves too little room for memory.max.
  [[nodiscard]] std::optional<Error> too_restless() const;
  ShrinkAction squeeze(const ShrinkSample& now);
  ShrinkAction enter(Stage stage, const ShrinkSample& now, ShrinkAction action);

  ShrinkGoal goal_;
  Bytes brake_, slack_;
  Stage stage_ = Stage::squeeze;
  std::optional<ShrinkSample> first_, second_;  ///< the first one, and the last one of whole seconds
  std::chrono::nanoseconds since_{0};           ///< when the stage began
  Limit<Bytes> high_;                           ///< as it stands now
  std::optional<Bytes> reclaimed_from_;         ///< the use before the last reclaim
  int bad_seconds_ = 0;
  Bytes peak_need_;
  Bytes least_seen_, most_seen_;  ///< of the need, since the use came down
  Bytes most_together_;           ///< the same with all processes at their most
};

}  // namespace weir::limits
