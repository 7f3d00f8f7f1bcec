// SPDX-License-Identifier: MIT
#pragma once
// The label com.example.cgroup_path: where those who started a container think its cgroup is. Shown beside
// where it really is; never followed, since whoever may start a container writes it.

#include <string>

#include "weir/model/container.h"

namespace weir::control {

inline constexpr const char* kCgroupLabel = "com.example.cgroup_path";

/// What the label says against the container's cgroup; empty: it carries none. "<container id>" in it stands
/// for the container's id.
std::string describe_label(const Container& container);

}  // namespace weir::control
