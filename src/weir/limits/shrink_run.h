// SPDX-License-Identifier: MIT
#pragma once
// Carries one Shrink out on one cgroup: reads its files, asks what to do, does it, and on any trouble puts
// memory.max and memory.high back. Journals nothing (shrink_plan.h does) and blocks in the kernel's reclaim:
// run it on a thread of its own, and end a write that blocks by a signal to that thread (a handler that does
// nothing, without SA_RESTART).

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/shrink.h"

namespace weir::limits {

/// The control files that a shrink needs, kept open: they need no Dir, and know when the cgroup has ended.
class ShrinkFiles {
 public:
  /// Errors: absent, when the kernel lacks one that is needed (memory.reclaim is of 5.19).
  static Result<ShrinkFiles> keep(const cgroup::Dir& dir);
  [[nodiscard]] Result<std::string> read(std::string_view file) const;
  [[nodiscard]] Result<void> write(std::string_view file, std::string_view text) const;
  /// The processes of the cgroup and of those that were below it at keep().
  [[nodiscard]] std::vector<Pid> processes() const;

 private:
  void keep_processes(const cgroup::Dir& dir);
  std::vector<std::unique_ptr<cgroup::File>> processes_;  ///< cgroup.procs of each level
  std::map<std::string, std::unique_ptr<cgroup::File>, std::less<>> files_;
};

struct ShrinkJob {
  ShrinkGoal goal;
  std::string proc = "/proc";  ///< where the processes' own memory is read
  Limit<Bytes> max_before = Limit<Bytes>::unlimited();
};

/// What the shrink gets from outside. All are called on its thread.
struct ShrinkWatch {
  std::function<std::chrono::nanoseconds()> now;  ///< monotonic
  std::function<void(std::chrono::nanoseconds)> pause;
  std::function<std::optional<Error>()> stop;  ///< why it must be taken back, asked before every step
  std::function<void(const Footprint&)> seen;
};

/// How a shrink ended. The limit holds, or `error` says why it does not.
struct ShrinkResult {
  std::optional<Error> error;
  /// Set when what was there before could not be put back: it stays in force. memory.high was only the brake,
  /// unless it is the goal itself.
  std::optional<Error> max_stays, high_stays;
  Bytes peak_need;
};

ShrinkResult run_shrink(const ShrinkFiles& files, const ShrinkJob& job, const ShrinkWatch& watch);

}  // namespace weir::limits
