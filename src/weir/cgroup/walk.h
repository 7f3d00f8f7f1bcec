// SPDX-License-Identifier: MIT
#pragma once
// Walk of the cgroup tree, depth first, parents before children. A cgroup that ends meanwhile is passed over.

#include <cstddef>
#include <functional>
#include <memory>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {

enum class Visit { descend, skip_children, stop };

/// A walk holds one fd per level; a container that may make cgroups could otherwise use up ours.
inline constexpr std::size_t kMaxWalkDepth = 128;

struct WalkReport {
  std::size_t too_deep = 0;    ///< cgroups at kMaxWalkDepth whose children were not looked at
  std::size_t unreadable = 0;  ///< cgroups that could not be opened or listed (permission, fd limit)
};

/// Calls `visit` for `start` and everything below it. The Dir is open only during the call and its
/// children's.
Result<WalkReport> walk(Dir& start, const std::function<Visit(Dir&)>& visit);

}  // namespace weir::cgroup
