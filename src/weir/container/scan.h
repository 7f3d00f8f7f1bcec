// SPDX-License-Identifier: MIT
#pragma once
// Scan: one look at the host through all sources. A source is one runtime: a function that adds the running
// containers that it knows and whose cgroup is there. What it could not ask becomes a note; a source never
// fails as a whole.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/container/inventory.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::container {

struct Scan {
  const HostPaths& paths;
  const cgroup::Dir& root;
  /// A name, or the beginning of an id; a source may leave out what has neither. Empty: everything.
  std::string_view wanted;
  /// Whether labels are needed, also where they cost a question to a daemon.
  enum class Labels { as_they_come, needed } labels = Labels::as_they_come;

  std::vector<Container> found;
  std::vector<Note> notes;

  void note(std::string_view subject, std::string_view text) {
    notes.push_back({std::string(subject), std::string(text)});
  }
  [[nodiscard]] bool wants(std::string_view name, std::string_view id) const {
    return wanted.empty() || name == wanted || id.starts_with(wanted);
  }
  /// Whether a JSON record can be about what is wanted, before it is parsed: most are not. `wanted` as a
  /// whole, or the last part of namespace/pod/container, must stand in it as a string.
  [[nodiscard]] bool may_want(std::string_view record, std::string_view id) const;
  /// Whether there is a cgroup at this path now.
  [[nodiscard]] bool has_cgroup(std::string_view path) const;
  /// Names of the cgroups below `path`; none where there is no such cgroup.
  [[nodiscard]] std::vector<std::string> children(std::string_view path) const;
};

struct Source {
  Runtime runtime;
  void (*scan)(Scan& scan);
};
/// Every container runtime, each in its own file.
std::span<const Source> sources();

void scan_docker(Scan& scan);
void scan_podman(Scan& scan);
void scan_lxc(Scan& scan);
void scan_containerd(Scan& scan);
void scan_crio(Scan& scan);
/// Services and scopes directly below the tree's slices; `wanted` is a unit's whole name.
void scan_units(Scan& scan);

}  // namespace weir::container
