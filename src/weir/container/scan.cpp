// SPDX-License-Identifier: MIT
#include "weir/container/scan.h"

#include <fmt/format.h>

#include "weir/container/anchor.h"

namespace weir::container {

std::span<const Source> sources() {
  static constexpr Source kSources[] = {
      {Runtime::docker, scan_docker}, {Runtime::podman, scan_podman},         {Runtime::lxc, scan_lxc},
      {Runtime::crio, scan_crio},     {Runtime::containerd, scan_containerd},
  };
  return kSources;
}

bool Scan::may_want(std::string_view record, std::string_view id) const {
  return wanted.empty() || id.starts_with(wanted) ||
         record.find(fmt::format("\"{}\"", last_component(wanted))) != std::string_view::npos;
}

bool Scan::has_cgroup(std::string_view path) const { return cgroup::open_path(root, path).has_value(); }

std::vector<std::string> Scan::children(std::string_view path) const {
  if (path.empty() || path == "/") return root.children().value_or(std::vector<std::string>());
  const auto dir = cgroup::open_path(root, path);
  if (!dir) return {};
  return (*dir)->children().value_or(std::vector<std::string>());
}

}  // namespace weir::container
