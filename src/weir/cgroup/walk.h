// SPDX-License-Identifier: MIT
#pragma once
// Walk of the cgroup tree, depth first, parents before children. A cgroup that ends meanwhile is passed over.

#include <functional>
#include <memory>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {

enum class Visit { descend, skip_children, stop };

/// Calls `visit` for `start` and everything below it. The Dir is open only during the call.
Result<void> walk(const Dir& start, const std::function<Visit(Dir&)>& visit);

}  // namespace weir::cgroup
