// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/doctor/host.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

constexpr std::string_view kUnified =
    "boot with systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all (the default of every distribution since "
    "2021)";

bool has_word(std::string_view text, std::string_view word) {
  return std::ranges::count(words(text), word) > 0;
}

}  // namespace

Finding cgroup_mode(const HostPaths& paths) {
  const auto v2 = mount_points(paths, "cgroup2");
  const auto v1 = mount_points(paths, "cgroup");
  const auto root = cgroup::open_root(paths.cgroup_root);
  if (!root)
    return no(root.error(), "no limit can be set or explained here",
              v2.empty() ? kUnified : "see --cgroup-root");
  if (v1.empty())
    return yes(paths.cgroup_root.empty() ? "only v2, at " + v2.front() : "v2, at " + paths.cgroup_root);
  const auto controllers = (*root)->read("cgroup.controllers");
  const std::string why = fmt::format("hybrid: v1 is mounted as well, at {}", v1.front());
  if (controllers && has_word(*controllers, "cpu") && has_word(*controllers, "memory"))
    return partial(why, "what v1 holds is invisible to Weir", kUnified);
  return no(why + ", and holds cpu or memory", "no limit can be set or explained here", kUnified);
}

Finding cgroup_writable(const HostPaths& paths) {
  constexpr std::string_view kCost = "limits cannot be changed; ls and doctor still work";
  const auto root = cgroup::open_root(paths.cgroup_root);
  if (!root) return no(root.error(), kCost, kUnified);
  const auto file = (*root)->keep("cgroup.subtree_control", cgroup::Access::write);
  if (file) return yes("writable");
  return no(file.error(), kCost, file.error().err == EROFS ? "mount it writable" : "run as root");
}

Finding judge_controller(std::string_view name, std::string_view available, std::string_view handed_down,
                         std::string_view proc_cgroups, std::string_view cost) {
  if (has_word(handed_down, name)) return yes("on, and handed down to all");
  if (has_word(available, name))
    return partial("there, but not handed down by the root (cgroup.subtree_control)",
                   fmt::format("{}, unless a unit or runtime asks for it", cost), "weir doctor --fix");
  const std::string_view in_v1 = name == "io" ? "blkio" : name;
  for (const std::string_view line :
       split(proc_cgroups, '\n')) {  // name, hierarchy, number of cgroups, enabled
    const auto fields = words(line);
    if (fields.size() != 4 || fields[0] != in_v1) continue;
    if (fields[3] == "0")
      return no("switched off at boot", cost, fmt::format("boot without cgroup_disable={}", in_v1));
    if (fields[1] != "0") return no("held by cgroup v1", cost, kUnified);
  }
  return no("not in this kernel or this part of the tree", cost,
            "another kernel, or the host's own cgroup root");
}

Finding controller(const HostPaths& paths, std::string_view name, std::string_view cost) {
  const auto root = cgroup::open_root(paths.cgroup_root);
  if (!root) return no(root.error(), cost, kUnified);
  const auto available = (*root)->read("cgroup.controllers");
  const auto handed_down = (*root)->read("cgroup.subtree_control");
  if (!available || !handed_down)
    return no(available ? handed_down.error() : available.error(), cost, kUnified);
  return judge_controller(name, *available, *handed_down, read_file(paths.proc + "/cgroups").value_or(""),
                          cost);
}

Finding cpu_stat_local(const HostPaths& paths) {
  constexpr std::string_view kCost = "time lost to an ancestor's cpu.max cannot be seen in the cgroup itself";
  const auto root = cgroup::open_root(paths.cgroup_root);
  if (!root) return no(root.error(), kCost, kUnified);
  const auto children = (*root)->children();
  for (const std::string& name : children.value_or(std::vector<std::string>{})) {
    const auto child = (*root)->open(name);
    if (child && (*child)->read("cpu.stat.local")) return yes("there");
  }
  return no("no cgroup has the file", kCost, "Linux 6.6 and later, with the cpu controller");
}

}  // namespace weir::doctor
