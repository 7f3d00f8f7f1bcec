// SPDX-License-Identifier: MIT
#pragma once
// Pace: when one container's cpu.max may be written by a process that writes it again and again: right after
// a CFS period has begun, and only once its allowance covers what the write forgives (refill.h). Period
// starts come from BPF where it is there, else from looking at nr_periods. A container in which nothing runs
// has no periods, and nothing to lose. One thread.

#include <memory>
#include <optional>

#include "weir/base/clock.h"
#include "weir/bpf/period_start.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/refill.h"

namespace weir::limits {

class Pace {
 public:
  /// `starts` may be null (no BPF here); it and `clock` outlive this. Errors: absent without the cpu
  /// controller, gone.
  static Result<Pace> open(const cgroup::Dir& dir, bpf::PeriodStart* starts, const Clock& clock);
  Pace(Pace&& other) noexcept;
  Pace& operator=(Pace&&) = delete;
  ~Pace();

  struct Moment {
    bool now = false;      ///< write now; else not before a start, or `again`
    nanoseconds again{0};  ///< when to ask again at the latest, CLOCK_MONOTONIC
  };
  /// Whether a write that has been waiting since `asked` may be done now, while `limit` is in force.
  Moment see(const cgroup::CpuMax& limit, nanoseconds asked);
  /// Whether the allowance covers a write that does not wait for its moment: it forgives a quota at most.
  bool covers_urgent(const cgroup::CpuMax& limit);
  /// A period of this one has begun (by BPF).
  void began() { begun_ = true; }
  /// The slot under which BPF knows it.
  [[nodiscard]] std::optional<bpf::PeriodStart::Slot> slot() const { return slot_; }

  /// Books what a write that replaces `before` grants, as seen when its moment came. To be called right
  /// before it; nothing where nothing ran or nobody looked, for which book_urgent() is called after the
  /// write.
  std::optional<Refill> book(const cgroup::CpuMax& before);
  /// The same right after a write that did not wait for its moment: looking costs more than an urgent one
  /// has.
  Refill book_urgent(const cgroup::CpuMax& before, const cgroup::CpuMax& after);
  /// All that was booked so far.
  [[nodiscard]] microseconds granted() const { return granted_; }

 private:
  Pace(std::unique_ptr<cgroup::File> cpu_stat, bpf::PeriodStart* starts, const Clock& clock);
  void wrote(const std::optional<CpuLook>& look, microseconds granted);
  bool has_begun(nanoseconds now, nanoseconds period);
  [[nodiscard]] nanoseconds next_look(nanoseconds now, nanoseconds period) const;

  std::unique_ptr<cgroup::File> cpu_stat_;
  bpf::PeriodStart* starts_;
  const Clock& clock_;
  std::optional<bpf::PeriodStart::Slot> slot_;
  std::optional<CpuLook> look_;   ///< newest of the turn that is being decided
  std::optional<CpuLook> since_;  ///< at the last write
  Allowance allowance_;
  std::uint64_t seen_periods_ = 0;
  nanoseconds last_start_{0};  ///< or when this was opened
  nanoseconds looked_{0};      ///< without BPF: when cpu.stat was last looked at
  nanoseconds again_{0};       ///< before that there is nothing to see, unless one has begun
  bool phase_known_ = false;   ///< without BPF: last_start_ is right to a poll
  bool begun_ = false;
  microseconds granted_{0};
};

}  // namespace weir::limits
