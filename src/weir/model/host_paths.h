// SPDX-License-Identifier: MIT
#pragma once
// HostPaths: where the host keeps what we read and write. The defaults are a normal host; tests and a
// container that has the host's files mounted elsewhere say otherwise (--cgroup-root, --run-dir,
// --host-root).

#include <string>
#include <string_view>

namespace weir {

struct HostPaths {
  std::string cgroup_root;  ///< cgroup2 mount point; empty: found in /proc/self/mountinfo
  std::string run_dir = "/run/weir";
  std::string state_dir = "/var/lib/weir";
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string host_root;  ///< in front of /run, /var/lib, /etc of the runtimes; empty on the host itself

  [[nodiscard]] std::string host(std::string_view path) const { return host_root + std::string(path); }
};

}  // namespace weir
