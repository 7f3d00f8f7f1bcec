// SPDX-License-Identifier: MIT
#include "weir/control/prepare.h"

#include <fmt/format.h>

#include "weir/control/join.h"
#include "weir/control/make_cgroup.h"

namespace weir::control {
namespace {

std::string describe_missing(const std::string& path) {
  return fmt::format("{} is not there; it is taken in when it is (create: true makes it)", path);
}

/// Why none of the processes of `entry` is put into `path`; empty: those that may be moved are.
std::string why_none(const Entry& entry, const std::string& path) {
  const std::string owner = entry.pids.empty() ? std::string() : owner_by_name(path);
  return owner.empty() ? owner : fmt::format("{}: no process is put into it: it belongs to {}", path, owner);
}

}  // namespace

Prepared rehearse(const Entry& entry, cgroup::Dir& root, const HostPaths& paths) {
  Prepared prepared;
  const std::string& path = entry.target.first;
  if (entry.create) {
    const auto steps = plan_making(root, path, needed_controllers(entry));
    if (!steps) {
      prepared.troubles.push_back(steps.error().message());
      return prepared;
    }
    for (const std::string& step : describe(*steps)) prepared.steps.push_back("would " + step);
  } else if (!cgroup::open_path(root, path)) {
    prepared.troubles.push_back(describe_missing(path));
  }
  if (std::string why = why_none(entry, path); !why.empty()) {
    prepared.troubles.push_back(std::move(why));
    return prepared;
  }
  for (const Pid pid : entry.pids) {
    const auto joining = Joining::open(paths, root, pid);
    if (!joining)
      prepared.troubles.push_back(joining.error().message());
    else if (joining->from() != path)
      prepared.steps.push_back("would " + describe(*joining, path));
  }
  return prepared;
}

Prepared make_place(const Entry& entry, cgroup::Dir& root, MadeCgroups& made) {
  const std::string& path = entry.target.first;
  if (!entry.create) {
    if (cgroup::open_path(root, path)) return {};
    return {.steps = {}, .troubles = {describe_missing(path)}};
  }
  const auto steps = plan_making(root, path, needed_controllers(entry));
  const auto done = steps ? make(root, *steps, made) : std::unexpected(steps.error());
  if (!done) return {.steps = {}, .troubles = {done.error().message()}};
  return {.steps = describe(*steps), .troubles = {}};
}

Prepared put_in(const Entry& entry, cgroup::Dir& root, const HostPaths& paths, cgroup::Dir& dir) {
  Prepared prepared;
  if (std::string why = why_none(entry, dir.path()); !why.empty()) {
    prepared.troubles.push_back(std::move(why));
    return prepared;
  }
  for (const Pid pid : entry.pids) {
    const auto joining = Joining::open(paths, root, pid);
    if (joining && joining->from() == dir.path()) continue;
    const auto joined = joining ? joining->join(dir) : std::unexpected(joining.error());
    if (joined)
      prepared.steps.push_back(describe(*joining, dir.path()));
    else
      prepared.troubles.push_back(fmt::format("{}: {}", dir.path(), joined.error().message()));
  }
  return prepared;
}

}  // namespace weir::control
