// SPDX-License-Identifier: MIT
#include "weir/control/rehearse.h"

#include <fmt/format.h>

#include "weir/control/join.h"
#include "weir/control/make_cgroup.h"

namespace weir::control {

std::string describe_missing(const std::string& path) {
  return fmt::format("{} is not there; it is taken in when it is (create: true makes it)", path);
}

Rehearsal rehearse(const Entry& entry, cgroup::Dir& root, const HostPaths& paths) {
  Rehearsal rehearsal;
  const std::string& path = entry.target.first;
  if (entry.create) {
    const auto steps = plan_making(root, path, needed_controllers(entry));
    if (!steps) {
      rehearsal.troubles.push_back(steps.error().message());
      return rehearsal;
    }
    for (const std::string& step : describe(*steps)) rehearsal.steps.push_back("would " + step);
  } else if (!cgroup::open_path(root, path)) {
    rehearsal.troubles.push_back(describe_missing(path));
  }
  for (const Pid pid : entry.pids) {
    const auto joining = Joining::open(paths, root, pid);
    if (!joining)
      rehearsal.troubles.push_back(joining.error().message());
    else if (joining->from() != path)
      rehearsal.steps.push_back("would " + describe(*joining, path));
  }
  return rehearsal;
}

}  // namespace weir::control
