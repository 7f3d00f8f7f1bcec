// SPDX-License-Identifier: MIT
#pragma once
// Inventory: all containers and services on this host, from the runtimes' own records matched with the cgroup
// tree at the known anchors only (never a nested look-alike). A runtime that does not answer is a note, not
// an error.

#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::container {

struct Note {
  std::string subject;  ///< "docker", "podman", …
  std::string text;     ///< "not running", "answered garbage: …"
};

enum class Include { containers, containers_and_services, every_cgroup };

struct Inventory {
  std::vector<Container> containers;  ///< ordered by name
  std::vector<Note> notes;            ///< what could not be asked, and why
};

Result<Inventory> take_inventory(const HostPaths& paths, Include include);
/// The same below a root that is open already.
Inventory take_inventory(const HostPaths& paths, cgroup::Dir& root, Include include);

}  // namespace weir::container
