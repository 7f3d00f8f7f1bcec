// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/doctor/host.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

constexpr std::string_view kPermission =
    "run as root, or set kernel.perf_event_paranoid to 2 (weir doctor --fix)";

struct Scope {
  int pid = 0, cpu = -1;
  unsigned long flags = 0;
};

/// 0, or the errno of perf_event_open(2).
int try_event(std::uint32_t type, std::uint64_t config, Scope scope = {}) {
  perf_event_attr attributes{};
  attributes.type = type;
  attributes.size = sizeof attributes;
  attributes.config = config;
  attributes.disabled = 1;
  attributes.exclude_kernel = geteuid() == 0 ? 0 : 1;
  const Fd fd(static_cast<int>(syscall(SYS_perf_event_open, &attributes, scope.pid, scope.cpu, -1,
                                       scope.flags | PERF_FLAG_FD_CLOEXEC)));
  return fd.valid() ? 0 : errno;
}

}  // namespace

Finding perf_software(const HostPaths&) {
  const int error = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK);
  if (error == 0) return yes("task-clock counts");
  return no(errno_error(error, "task-clock", "perf_event_open"),
            "no context switches, faults or migrations in results", kPermission);
}

Finding perf_hardware(const HostPaths&) {
  const int cycles = try_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES);
  const int instructions = try_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS);
  constexpr std::string_view kCost = "no cycles, instructions and cache misses in results";
  if (cycles == 0 && instructions == 0) return yes("cycles and instructions count");
  if (cycles == 0 || instructions == 0)
    return partial(fmt::format("only {} counts", cycles == 0 ? "cycles" : "instructions"), kCost,
                   "give the virtual machine a whole PMU");
  if (cycles == ENOENT || cycles == EOPNOTSUPP || cycles == ENODEV)
    return no("this machine has no performance counters", kCost,
              "run on the metal, or give the virtual machine a PMU (QEMU: -cpu host)");
  return no(errno_error(cycles, "cycles", "perf_event_open"), kCost, kPermission);
}

Finding perf_cgroup(const HostPaths& paths) {
  constexpr std::string_view kCost =
      "events are counted for each task instead of a whole container, and short tasks are missed";
  const auto mount = paths.cgroup_root.empty() ? cgroup::find_mount_point() : paths.cgroup_root;
  if (!mount) return no(mount.error(), kCost, "cgroup v2");
  const Fd root(open(mount->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int error = root.valid() ? try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK,
                                             {.pid = root.get(), .cpu = 0, .flags = PERF_FLAG_PID_CGROUP})
                                 : errno;
  if (error == 0) return yes("a whole cgroup can be counted");
  return no(errno_error(error, "cpu-clock of a cgroup", "perf_event_open"), kCost,
            error == EACCES || error == EPERM ? "run as root" : "CONFIG_CGROUP_PERF=y, and cgroup v2 alone");
}

Finding perf_event_paranoid(const HostPaths& paths) {
  const auto text = text_of(paths.proc + "/sys/kernel/perf_event_paranoid");
  constexpr std::string_view kCost = "users cannot count their own programs' events";
  if (!text) return no("the kernel has no perf events", kCost, "a kernel built with CONFIG_PERF_EVENTS=y");
  if (text->starts_with('-') || parse_u64(*text).value_or(3) <= 2) return yes(*text);
  if (holds_capability(paths, CAP_PERFMON) || holds_capability(paths, CAP_SYS_ADMIN))
    return yes(*text + ": only root may count events, as you do");
  return partial(*text + ": only root may count events", kCost, "weir doctor --fix sets it to 2");
}

}  // namespace weir::doctor
