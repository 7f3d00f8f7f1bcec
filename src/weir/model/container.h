// SPDX-License-Identifier: MIT
#pragma once
// Container: one thing that a person calls by a name and the kernel holds in a cgroup. Plain values, no I/O.
// Every string may hold hostile bytes; escape at the output.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/units.h"

namespace weir {

enum class Runtime { docker, podman, lxc, containerd, crio, systemd, none };

/// "docker", "podman", "lxc", "containerd", "cri-o", "systemd", "-".
std::string_view to_string(Runtime runtime);
/// The runtime of that name; nullopt: there is none.
std::optional<Runtime> parse_runtime(std::string_view text);

struct Container {
  std::string
      name;  ///< what the runtime calls it; for a pod's container namespace/pod/container; a unit's name
  std::string id;  ///< full id of the runtime, or "" (units, plain cgroups)
  Runtime runtime = Runtime::none;
  std::string cgroup;      ///< path below the cgroup2 mount point, with a leading slash
  std::optional<Pid> pid;  ///< its init process, in the host's pid namespace
  std::string image;
  std::string k8s_namespace, k8s_pod, k8s_container;  ///< "" outside Kubernetes
  std::string compose_project, compose_service;       ///< "" outside compose
  std::map<std::string, std::string> labels;          ///< never authority
  bool operator==(const Container&) const = default;
};

}  // namespace weir
