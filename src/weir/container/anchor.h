// SPDX-License-Identifier: MIT
#pragma once
// Anchors: where in the cgroup tree a runtime puts a container, derived from the runtime's own words (a
// slice's name, the cgroupsPath of an OCI config.json). Pure. Nothing here searches below a container: a
// delegated container can make any directory it likes there.

#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir::container {

/// "a-b.slice" -> "/a.slice/a-b.slice"; "-.slice" -> "". invalid for what is no slice's name.
Result<std::string> slice_path(std::string_view slice);

/// The cgroup that an OCI runtime makes for linux.cgroupsPath: "SLICE:PREFIX:NAME" (systemd driver), else a
/// path (cgroupfs driver). invalid for what is neither, and for the root of all cgroups.
Result<std::string> oci_cgroup_path(std::string_view cgroups_path);

/// The ID of "PREFIX-ID.scope" where ID is 64 hex digits, else "".
std::string_view scope_id(std::string_view name, std::string_view prefix);

/// The first run of exactly 64 hex digits in the last component of a path, else "".
std::string_view id_in_path(std::string_view path);

std::string_view last_component(std::string_view path);

}  // namespace weir::container
