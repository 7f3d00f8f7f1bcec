// SPDX-License-Identifier: MIT
#pragma once
// Loan: the limits of a container that the user named, while a race writes to it. The first value of each
// knob is set through `limits`, which journals the old one: `weir undo` finds it even after a kill -9.
// give_back() takes them back the same way.

#include <chrono>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/plan.h"
#include "weir/model/host_paths.h"

namespace weir::latency {

class Loan {
 public:
  /// refused: a guarded cgroup (the host's ssh, this shell); what `weir set` would say without --force.
  static Result<Loan> take(const HostPaths& paths, const limits::Wanted& container,
                           const std::vector<cgroup::Setting>& settings, const Clock& clock);
  /// What could not be given back, one sentence each. The container may have ended meanwhile: that is none.
  std::vector<std::string> give_back();

 private:
  Loan(HostPaths paths, std::uint64_t epoch, std::chrono::nanoseconds time)
      : paths_(std::move(paths)), epoch_(epoch), time_(time) {}
  Result<std::vector<std::string>> undo() const;

  HostPaths paths_;
  std::uint64_t epoch_;            ///< 0: nothing was to be changed
  std::chrono::nanoseconds time_;  ///< with the epoch it names the changes
};

}  // namespace weir::latency
