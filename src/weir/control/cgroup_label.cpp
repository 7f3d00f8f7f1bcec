// SPDX-License-Identifier: MIT
#include "weir/control/cgroup_label.h"

#include <fmt/format.h>

#include <string_view>

namespace weir::control {

std::string describe_label(const Container& container) {
  constexpr std::string_view kId = "<container id>";
  const auto label = container.labels.find(kCgroupLabel);
  if (label == container.labels.end()) return {};
  std::string path = label->second;
  if (const std::size_t at = path.find(kId); at != std::string::npos)
    path.replace(at, kId.size(), container.id);
  if (path == container.cgroup)
    return fmt::format("{} is where its label {} says", container.name, kCgroupLabel);
  return fmt::format("{} is in {}, not where its label {} says ({}); the label is not followed",
                     container.name, container.cgroup, kCgroupLabel, label->second);
}

}  // namespace weir::control
