// SPDX-License-Identifier: MIT
#pragma once
// Rehearse: what `weir control` would do for a cgroup that the configuration names by path before it limits
// it, and what stands in the way. Changes nothing.

#include <string>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/control/config.h"
#include "weir/model/host_paths.h"

namespace weir::control {

struct Rehearsal {
  std::vector<std::string> steps;     ///< "would make /demo/batch"
  std::vector<std::string> troubles;  ///< why it would not, or why a process would stay where it is
};
/// That `path` is not there, and what becomes of that.
std::string describe_missing(const std::string& path);
/// `entry` names a cgroup path.
Rehearsal rehearse(const Entry& entry, cgroup::Dir& root, const HostPaths& paths);

}  // namespace weir::control
