// SPDX-License-Identifier: MIT
#pragma once
// LostTime: why a cgroup does not run, summed up in the kernel: held by its own CPU limit, held by one above,
// or waiting for a CPU that others use. Nothing is sent; the sums are read on demand. One thread.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir::bpf {

class LostTime {
 public:
  /// absent or refused: a hook cannot be attached here.
  static Result<LostTime> open();
  LostTime(LostTime&&) noexcept;
  LostTime& operator=(LostTime&&) noexcept;
  ~LostTime();

  /// Counts from now on, also for the cgroups below it that are not watched themselves. A limit that holds
  /// already is counted when it lets go, since Linux 6.18 when it holds again. failed: as many are watched as
  /// can be.
  Result<void> watch(CgroupId cgroup);
  void ignore(CgroupId cgroup);

  /// Since watch(). Each sum is over all CPUs, so that it grows faster than time does.
  struct Sums {
    /// Run queues with tasks, stopped by the cgroup's own cpu.max while no limit above does so. Up to now.
    std::chrono::nanoseconds held_own{0};
    /// The same by limits above; where several do so at once, the highest counts. Up to now.
    std::chrono::nanoseconds held_above{0};
    /// The ancestor with most of held_above; 0: none.
    CgroupId above;
    /// Tasks, runnable and not running, while their run queue was not held. A wait counts when it ends.
    std::chrono::nanoseconds waited{0};
    using Rival = std::pair<CgroupId, std::chrono::nanoseconds>;
    /// Who used the CPU meanwhile, most first; an estimate, at most what is known. The cgroup itself is among
    /// them when its tasks wait for each other. The rest of `waited` was of many, or of an idle CPU that
    /// woke.
    std::vector<Rival> rivals;
  };
  /// gone: not watched.
  [[nodiscard]] Result<Sums> read(CgroupId cgroup) const;
  /// "fentry tg_throttle_down"
  [[nodiscard]] const std::string& hook() const;

 private:
  struct Loaded;
  explicit LostTime(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace weir::bpf
