// SPDX-License-Identifier: MIT
#pragma once
// Who runs this process, in which boot, and where: what the journal notes and the guard rails ask for.

#include <string>

#include "weir/base/error.h"
#include "weir/limits/change.h"
#include "weir/model/host_paths.h"

namespace weir::limits {

/// The kernel's random id of this boot.
Result<std::string> read_boot_id(const HostPaths& paths);
/// Uid, login uid (audit) and SUDO_USER of this process.
Caller read_caller(const HostPaths& paths);
/// The cgroup of this process as it sees it ("/user.slice/…"); "" where /proc does not say.
std::string read_own_cgroup(const HostPaths& paths);
/// "root", "root (alice)", "uid 1000": for people. Asks the user database.
std::string describe(const Caller& caller);

}  // namespace weir::limits
