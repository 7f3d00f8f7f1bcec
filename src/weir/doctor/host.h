// SPDX-License-Identifier: MIT
#pragma once
// Small questions to /proc that several themes ask.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/host_paths.h"

namespace weir::doctor {

/// Where file systems of `type` are mounted in this mount namespace, in the order of mountinfo; unescaped.
std::vector<std::string> mount_points(const HostPaths& paths, std::string_view type);
std::vector<std::string> mount_points(std::string_view mountinfo, std::string_view type);

/// Whether the kernel knows file systems of `type` (/proc/filesystems).
bool knows_filesystem(const HostPaths& paths, std::string_view type);

/// The trimmed text of a small file, or nothing.
std::optional<std::string> text_of(const std::string& path);

/// Whether the CPU has something that the resctrl file system can use; its names of the flags in
/// /proc/cpuinfo.
std::vector<std::string> resctrl_flags(const HostPaths& paths);

}  // namespace weir::doctor
