// SPDX-License-Identifier: MIT
#pragma once
// PeriodStart: when the CFS periods of chosen cgroups begin, seen by BPF. What the kernel last saw is in
// mapped memory (no syscall to look); a start that is asked for wakes the reader through a file descriptor.
// One thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir::bpf {

class PeriodStart {
 public:
  /// absent or refused: no hook can be attached here.
  static Result<PeriodStart> open();
  PeriodStart(PeriodStart&&) noexcept;
  PeriodStart& operator=(PeriodStart&&) noexcept;
  ~PeriodStart();

  using Slot = std::uint32_t;
  /// Follows one more cgroup, at most kMost at a time (failed beyond). Give it back with ignore().
  Result<Slot> follow(CgroupId cgroup);
  void ignore(Slot slot);

  /// CLOCK_MONOTONIC of the last start; zero where none was seen since follow().
  [[nodiscard]] std::chrono::nanoseconds last(Slot slot) const;
  /// Asks for the next start, once.
  void arm(Slot slot);
  void disarm(Slot slot);
  /// Readable when an asked-for start has come.
  [[nodiscard]] int fd() const;
  struct Start {
    Slot slot;
    std::chrono::nanoseconds at;
  };
  /// The starts that came since the last call. Does not wait.
  void drain(std::vector<Start>& starts);
  /// Asked-for starts that were lost; such a slot is not armed any more.
  [[nodiscard]] std::uint64_t lost() const;
  /// "fexit sched_cfs_period_timer"
  [[nodiscard]] const std::string& hook() const;

 private:
  struct Loaded;
  explicit PeriodStart(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace weir::bpf
