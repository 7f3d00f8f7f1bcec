// SPDX-License-Identifier: MIT
#pragma once
// Mount: which mount points of this mount namespace are cgroup2. Pure parsing of /proc/self/mountinfo; who
// opens and checks them is open_root() (dir.h).

#include <string>
#include <string_view>
#include <vector>

namespace weir::cgroup {

/// The mount points of type cgroup2 in a mountinfo text, the usual places first (/sys/fs/cgroup, then the
/// hybrid's /sys/fs/cgroup/unified), the others in the file's order. Lines that make no sense are passed
/// over.
std::vector<std::string> cgroup2_mounts(std::string_view mountinfo);

}  // namespace weir::cgroup
