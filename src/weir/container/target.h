// SPDX-License-Identifier: MIT
#pragma once
// Target: the one grammar in which a user names what to act on, everywhere. Parsing is pure; resolve() asks the host.
//
//   web  4f2a…(4+ hex digits of an id)  docker:web podman:web lxc:web containerd:… cri-o:…
//   k8s:namespace/pod[/container]  label:key[=value] image:nginx[:tag] compose:project[/service] web-*   (sets)
//   unit:nginx.service  pid:4242  /system.slice/foo

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::container {

enum class TargetKind { name, runtime_name, k8s, label, image, compose, glob, unit, pid, path };

struct Target {
  TargetKind kind = TargetKind::name;
  std::string text;                  ///< as written
  Runtime runtime = Runtime::none;   ///< for runtime_name
  std::string first, second, third;  ///< the parts after the prefix (namespace, pod, container; key, value; …)
};

/// Whether the target may stand for more than one container (label, image, compose, glob, k8s pod).
bool is_set(const Target& target);
/// "..", NUL, control characters, empty and overlong (> 4096) targets are refused with what and why.
Result<Target> parse_target(std::string_view text);

/// What a target stands for. One for a single target; one or more for a set; never empty.
/// Errors: invalid (ambiguous: names the candidates in `hint`), gone / absent (unknown: names the near ones in `hint`).
/// Quick: a plain docker name does not ask other runtimes once it is found unless the name is ambiguous on the host.
Result<std::vector<Container>> resolve(const Target& target, const HostPaths& paths);

}  // namespace weir::container
