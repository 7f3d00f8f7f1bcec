// SPDX-License-Identifier: MIT
#pragma once
// What changed lately, for overviews: the changes of this boot from the journal, each with whether it still
// holds.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/history.h"
#include "weir/model/host_paths.h"

namespace weir::limits {

/// What the kernel says about a change now.
enum class Standing {
  in_force,     ///< the knob holds what it wrote
  superseded,   ///< a later change of ours stands on it
  changed,      ///< someone else changed the knob since
  interrupted,  ///< killed before it was written: the knob holds the old value
  undone,
  failed,
  gone,     ///< the cgroup ended
  unknown,  ///< the knob cannot be read
};
std::string_view to_string(Standing standing);

struct Listed {
  Change change;
  Standing standing = Standing::in_force;
  std::string now;  ///< what the knob holds, where it is neither old nor new
};

/// Every change of the history with its standing, oldest first. Without a root (no cgroup2 here) only the
/// journal speaks.
std::vector<Listed> list_changes(const cgroup::Dir* root, History history);

/// The changes set since `since` (realtime); empty where there is no journal. For people's overviews.
Result<std::vector<Listed>> recent_changes(const HostPaths& paths, const cgroup::Dir* root,
                                           std::chrono::nanoseconds since);

}  // namespace weir::limits
