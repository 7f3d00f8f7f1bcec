// SPDX-License-Identifier: MIT
#pragma once
// Runner: where the lab's workloads run. Three of them: Docker, systemd (transient services with
// Delegate=yes) and plain cgroups. What each makes it also marks (a label, a description, an extended
// attribute), so that remove() finds all of it and nothing else, whatever happened to the process that made
// it.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/lab/workloads.h"
#include "weir/model/host_paths.h"

namespace weir::lab {

class Runner {
 public:
  virtual ~Runner() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;  ///< "docker", "systemd", "cgroup"
  /// What is needed before the first start(): an image, a parent cgroup.
  virtual Result<void> prepare() = 0;
  virtual Result<void> start(const Workload& workload) = 0;
  /// Path of its cgroup below the mount point; gone when it has ended.
  virtual Result<std::string> cgroup(const Workload& workload) = 0;
  /// What a workload that ended said last; "" where nothing keeps it. Hostile bytes.
  virtual std::string last_words(const Workload& workload) = 0;
  /// Ends and removes what is marked as the lab's; what was removed, for people. Nothing there is no error.
  virtual Result<std::vector<std::string>> remove() = 0;
  /// What is marked as the lab's now.
  virtual Result<std::vector<std::string>> present() = 0;
};

/// `docker` is the absolute path of Docker's command, `context` the folder that find_context() found.
std::unique_ptr<Runner> docker_runner(const HostPaths& paths, std::string docker, std::string context);
std::unique_ptr<Runner> systemd_runner(const HostPaths& paths, std::string context);
std::unique_ptr<Runner> cgroup_runner(const HostPaths& paths, std::string context);

}  // namespace weir::lab
