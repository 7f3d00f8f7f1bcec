// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "weir/doctor/host.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {

Finding resctrl(const HostPaths& paths) {
  constexpr std::string_view kCost = "cache and memory bandwidth cannot be measured or divided";
  const auto flags = resctrl_flags(paths);
  if (flags.empty())
    return no("this CPU has no cache or bandwidth control that is visible here", kCost,
              "a server CPU (Intel RDT, AMD QoS), not in a virtual machine");
  if (!knows_filesystem(paths, "resctrl"))
    return no("the CPU can, the kernel cannot", kCost, "a kernel built with CONFIG_X86_CPU_RESCTRL=y");
  const auto mounted = mount_points(paths, "resctrl");
  if (!mounted.empty()) return yes(fmt::format("{} at {}", fmt::join(flags, ", "), mounted.front()));
  return partial("the CPU can, it is not mounted", kCost, "weir doctor --fix");
}

}  // namespace weir::doctor
