// SPDX-License-Identifier: MIT
#pragma once
// The lab: three containers (or cgroups), each held back by another resource, to try Weir on. up() starts
// them, down() takes away all that up() made and nothing else, also when up() was killed half-way.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace weir::lab {

enum class Where { any, docker, no_docker };

struct Started {
  std::string name, cgroup, limit, about;
};
struct Lab {
  std::string runner;  ///< "docker", "systemd", "cgroup"
  std::vector<Started> workloads;
};

/// Told what is being done, one line each.
using Tell = std::function<void(std::string_view)>;

/// Starts the three and waits until each has computed something. On failure and on Ctrl-C what was started is
/// removed. refused: not root, or a lab is there; absent: no cgroup v2 with cpu, memory and io, or no Docker
/// where it was asked for.
Result<Lab> up(const HostPaths& paths, Where where, const Tell& tell);

/// What was removed; empty where there was no lab.
Result<std::vector<std::string>> down(const HostPaths& paths, const Tell& tell);

}  // namespace weir::lab
