// SPDX-License-Identifier: MIT
#pragma once
// One look at a set of containers: read them, wait a window, read their CPU counters again. What ended
// meanwhile is left out. Shared by `weir ls` and the overview.

#include <chrono>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/cli/ls_rows.h"

namespace weir::cli {

/// A window of 0 reads once: rates are not known then. Pressure is read once in any case.
std::vector<Snapshot> look_at(const cgroup::Dir& root, std::vector<Container> containers,
                              std::chrono::nanoseconds window);

}  // namespace weir::cli
