// SPDX-License-Identifier: MIT
#pragma once
// What `weir control` does for a cgroup that the configuration names by path, before it limits it: makes it
// where it may, and puts processes into it. Or only says what it would do.

#include <string>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/control/config.h"
#include "weir/control/made_cgroups.h"
#include "weir/model/host_paths.h"

namespace weir::control {

/// What was done, or would be; for people.
struct Prepared {
  std::vector<std::string> steps;     ///< "make /demo/batch"; "would make /demo/batch"
  std::vector<std::string> troubles;  ///< why it is not there, or why a process stays where it is
};

/// Of an `entry` that names a path: what make_place() and put_in() would do. Changes nothing.
Prepared rehearse(const Entry& entry, cgroup::Dir& root, const HostPaths& paths);
/// Makes the cgroup that `entry` names by path where it is missing and may be made; `made` writes it down.
Prepared make_place(const Entry& entry, cgroup::Dir& root, MadeCgroups& made);
/// Puts the processes of `entry` into its cgroup; none into one that somebody else has made.
Prepared put_in(const Entry& entry, cgroup::Dir& root, const HostPaths& paths, cgroup::Dir& dir);

}  // namespace weir::control
