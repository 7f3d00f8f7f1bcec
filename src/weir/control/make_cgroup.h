// SPDX-License-Identifier: MIT
#pragma once
// Making a cgroup that the configuration names: level by level below one that is there, each with the
// controllers that its limits need. First the plan, which changes nothing and can be told; then carried out.
// Never below what systemd or a container runtime has made: what is theirs they change without asking.

#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/control/config.h"
#include "weir/control/made_cgroups.h"

namespace weir::control {

/// What has to be done in one cgroup for the next one below it.
struct MakeStep {
  std::string parent;                    ///< "/" or a path
  std::vector<std::string> controllers;  ///< to be turned on for what is below it; mostly none
  std::string child;                     ///< the name of the cgroup to be made in it; "": it is there
  bool operator==(const MakeStep&) const = default;
};

/// The controllers that the limits of an entry need, for what they limit to be counted: "cpu", "memory",
/// "io".
std::vector<std::string> needed_controllers(const Entry& entry);

/// Why nothing may be made in `path`, and no process put into it: who else has made it. Empty: nobody whose
/// name is known.
std::string owner_by_name(std::string_view path);

/// The steps after which `path` is there and has `controllers`; none: it is so already. Errors: refused
/// (below what belongs to others; a cgroup above has processes of its own, or threads), absent (the host
/// lacks a controller).
Result<std::vector<MakeStep>> plan_making(const cgroup::Dir& root, std::string_view path,
                                          const std::vector<std::string>& controllers);

/// Writes down in `made` what it makes. Errors: the kernel's, and those of `made`: then nothing more is done.
Result<void> make(cgroup::Dir& root, const std::vector<MakeStep>& steps, MadeCgroups& made);

/// "make /demo/batch", "turn on cpu and io below /demo": what steps do, for people.
std::vector<std::string> describe(const std::vector<MakeStep>& steps);

}  // namespace weir::control
