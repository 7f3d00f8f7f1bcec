// SPDX-License-Identifier: MIT
#pragma once
// The whole disk below a path: what io.max takes, which refuses partitions.

#include <string>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace weir::lab {

struct Disk {
  std::string number;  ///< "254:0"
  std::string node;    ///< "/dev/vda"
};

/// absent where the file system has no block device of its own (tmpfs, overlay, btrfs, network).
Result<Disk> disk_below(const std::string& path, const HostPaths& paths);

/// The directory for the workloads' files when they run outside of Docker.
inline constexpr const char* kScratchDirectory = "/var/tmp";

}  // namespace weir::lab
