// SPDX-License-Identifier: MIT
#pragma once
// Places: the cgroups that the configuration names by path and that are neither containers nor services.
// Nobody else samples those: they are looked for once a second, and sampled here, at the rhythm of
// sample::Frames. One thread.

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/cgroup/dir.h"
#include "weir/model/frame.h"
#include "weir/sample/roster.h"
#include "weir/sample/sampler.h"

namespace weir::control {

class Places {
 public:
  static constexpr std::chrono::milliseconds kTick{200};       ///< CPU and memory
  static constexpr std::chrono::milliseconds kFullTick{1000};  ///< everything, and who is there

  /// `root` and `clock` outlive it.
  Places(const cgroup::Dir& root, const Clock& clock)
      : root_(root), clock_(clock), sampler_(sample::Sampler::without_host(root, clock)) {}

  /// From now on these paths; what was there of others has ended.
  void look_for(std::vector<std::string> paths);

  /// Who came and went since the last call. `elsewhere`: whether a cgroup is a container or service, which
  /// are sampled with all others.
  std::vector<sample::RosterChange> look(const std::function<bool(CgroupId)>& elsewhere);
  /// A new frame, if one is due and somebody is there; without the host. Valid until the next call.
  const Frame* next();
  /// When next() is due, CLOCK_MONOTONIC.
  [[nodiscard]] std::chrono::nanoseconds again() const;

 private:
  void ended(const std::string& path, const Subject& subject);

  const cgroup::Dir& root_;
  const Clock& clock_;
  sample::Sampler sampler_;
  std::vector<std::string> paths_;
  std::map<std::string, Subject> there_;  ///< by path
  std::vector<sample::RosterChange> changes_;
  std::chrono::nanoseconds full_at_{0}, fast_at_{0};
};

}  // namespace weir::control
