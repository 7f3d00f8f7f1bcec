// SPDX-License-Identifier: MIT
#pragma once
// Guard rails: which cgroups need --force, because a wrong limit there takes the host or the way to it away.
// Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/change.h"

namespace weir::limits {

/// What must not be touched by mistake, besides what guard() knows by name.
struct Guarded {
  std::string own_cgroup;             ///< of this process; "" where unknown
  std::optional<std::uint32_t> user;  ///< whose login sessions count: the login user's
};

/// Why `path` is guarded ("holds this shell", "is the container runtime"), or nullopt. `units_below` are the
/// paths of the guarded units below it (find_guarded_below()), whose ancestor it is.
std::optional<std::string> guard(std::string_view path, const Guarded& guarded,
                                 const std::vector<std::string>& units_below);

/// Whether the path is that of a guarded service (init.scope, ssh, docker, containerd, kubelet, …): by its
/// name, at the anchors where the service manager puts them, so that a container cannot pose as one.
bool is_guarded_unit(std::string_view path);

/// The guarded units at or below a slice. Looks into slices only, where services are; anything else holds
/// none.
Result<std::vector<std::string>> find_guarded_below(const cgroup::Dir& slice);

}  // namespace weir::limits
