// SPDX-License-Identifier: MIT
#pragma once
// Target: the one grammar in which a user names what to act on, everywhere. Parsing is pure; resolve() asks
// the host.
//
//   web  4f2a…(4+ hex digits of an id)  docker:web podman:web lxc:web containerd:… cri-o:…
//   k8s:namespace/pod[/container]  label:key[=value] image:nginx[:tag] compose:project[/service] web-* (sets)
//   unit:nginx.service  pid:4242  /system.slice/foo

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/container/inventory.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::container {

enum class TargetKind { name, runtime_name, k8s, label, image, compose, glob, unit, pid, path };

struct Target {
  TargetKind kind = TargetKind::name;
  std::string text;  ///< as written
  Runtime runtime =
      Runtime::none;  ///< for runtime_name, and for a glob behind a runtime's prefix ("docker:web-*")
  /// The parts after the prefix: namespace, pod, container; key, value, "=" where a value was given;
  /// repository, tag; project, service; else the whole.
  std::string first, second, third;
};

/// Whether the target may stand for more than one container (label, image, compose, glob, k8s pod).
bool is_set(const Target& target);
/// ".." between slashes, NUL, control characters, empty and overlong (> 4096) targets are refused with what
/// and why.
Result<Target> parse_target(std::string_view text);

/// What a target stands for. One for a single target; one or more for a set; never empty. Each cgroup existed
/// when it was looked up. Errors: invalid (ambiguous: `hint` names the candidates, ready to paste), absent
/// (unknown name: `hint` has the near ones and what could not be searched), gone (no such pid or cgroup
/// path).
///
/// Quick for a plain name: a runtime's records are parsed only where they can match, and no daemon is asked
/// while its records can be read.
Result<std::vector<Container>> resolve(const Target& target, const HostPaths& paths);
/// The same below a root that is open already.
Result<std::vector<Container>> resolve(const Target& target, const HostPaths& paths, cgroup::Dir& root);

/// The container, unit or plain cgroup (Runtime::none, its path as name) that is at `path`.
Container identify(const std::string& path, const HostPaths& paths, cgroup::Dir& root);

}  // namespace weir::container
