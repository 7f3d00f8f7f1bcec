// SPDX-License-Identifier: MIT
// The table of checks, in the order in which they are shown.
#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>

#include "weir/doctor/check.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

using enum Theme;
using enum Need;

constexpr CheckEntry kChecks[] = {
    {"kernel release", kernel, feature, kernel_release},
    {"BTF", kernel, feature, btf},
    {"tracefs", kernel, feature, tracefs},
    {"kprobes", kernel, feature, kprobes},
    {"lockdown", kernel, feature, lockdown},
    {"sched_ext", kernel, feature, sched_ext},
    {"clock source", kernel, feature, clock_source},

    {"cgroup v2", cgroup, main_job, cgroup_mode},
    {"cgroupfs writable", cgroup, feature, cgroup_writable},
    {"cpu controller", cgroup, main_job,
     [](const HostPaths& paths) { return controller(paths, "cpu", "no cpu.max and cpu.weight"); }},
    {"memory controller", cgroup, main_job,
     [](const HostPaths& paths) { return controller(paths, "memory", "no memory limits and counters"); }},
    {"io controller", cgroup, feature,
     [](const HostPaths& paths) { return controller(paths, "io", "no io.max, io.weight and io.stat"); }},
    {"pids controller", cgroup, feature,
     [](const HostPaths& paths) { return controller(paths, "pids", "no pids.max"); }},
    {"cpuset controller", cgroup, feature,
     [](const HostPaths& paths) { return controller(paths, "cpuset", "no cpuset.cpus and cpuset.mems"); }},
    {"cpu.stat.local", cgroup, feature, cpu_stat_local},

    {"BPF tp_btf", bpf, feature, bpf_tp_btf},
    {"BPF raw tracepoint", bpf, feature, bpf_raw_tracepoint},
    {"BPF fentry", bpf, feature, bpf_fentry},
    {"BPF fexit", bpf, feature, bpf_fexit},
    {"BPF kprobe", bpf, feature, bpf_kprobe},
    {"BPF tracepoint", bpf, feature, bpf_tracepoint},

    {"PSI", pressure, feature, pressure_files},
    {"PSI triggers", pressure, feature, pressure_triggers},
    {"PSI triggers, users", pressure, feature, pressure_triggers_for_users},

    {"software events", perf, feature, perf_software},
    {"hardware counters", perf, feature, perf_hardware},
    {"events of a cgroup", perf, feature, perf_cgroup},
    {"perf_event_paranoid", perf, feature, perf_event_paranoid},

    {"resctrl", Theme::resctrl, feature, doctor::resctrl},

    {"Docker", runtimes, feature, docker},
    {"Podman", runtimes, feature, podman},
    {"LXC", runtimes, feature, lxc},
    {"containerd or CRI-O", runtimes, feature, containerd_or_crio},
    {"systemd", runtimes, feature, systemd_manager},

    {"host namespaces", privileges, feature, host_namespaces},
    {"CAP_SYS_ADMIN", privileges, feature,
     [](const HostPaths& paths) {
       return capability(paths, CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
                         "no events of whole cgroups, no mounts by doctor --fix");
     }},
    {"CAP_BPF", privileges, feature,
     [](const HostPaths& paths) { return capability(paths, CAP_BPF, "CAP_BPF", "nothing is traced"); }},
    {"CAP_PERFMON", privileges, feature,
     [](const HostPaths& paths) {
       return capability(paths, CAP_PERFMON, "CAP_PERFMON",
                         "nothing is traced, and only your own programs are counted");
     }},
    {"CAP_SYS_RESOURCE", privileges, feature,
     [](const HostPaths& paths) {
       return capability(paths, CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE",
                         "pressure triggers shorter than 2 s are refused");
     }},
    {"CAP_DAC_OVERRIDE", privileges, feature,
     [](const HostPaths& paths) {
       return capability(paths, CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE",
                         "limits of cgroups that belong to others stay as they are");
     }},
    {"CAP_SYS_PTRACE", privileges, feature,
     [](const HostPaths& paths) {
       return capability(paths, CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
                         "the programs in other users' containers stay unknown");
     }},
};

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::yes:
      return "yes";
    case Status::partial:
      return "partial";
    case Status::no:
      return "no";
  }
  return "no";
}

std::string_view title(Theme theme) {
  switch (theme) {
    case kernel:
      return "Kernel";
    case cgroup:
      return "Cgroups";
    case bpf:
      return "BPF programs";
    case pressure:
      return "Pressure";
    case perf:
      return "Performance events";
    case Theme::resctrl:
      return "Cache and memory bandwidth";
    case runtimes:
      return "Runtimes";
    case privileges:
      return "Privileges";
  }
  return "";
}

Finding no(const Error& error, std::string_view cost, std::string_view fix) {
  if (error.kind == ErrorKind::refused && geteuid() != 0)
    return no("cannot be looked at without root: " + error.message(), cost, "run weir doctor as root");
  return no(error.message(), cost, fix);
}

std::span<const CheckEntry> checks() { return kChecks; }

std::vector<Check> examine(const HostPaths& paths) {
  std::vector<Check> examined;
  for (const CheckEntry& entry : kChecks)
    examined.push_back(
        {.name = entry.name, .theme = entry.theme, .need = entry.need, .finding = entry.look(paths)});
  return examined;
}

bool usable(std::span<const Check> examined) {
  return std::ranges::none_of(examined, [](const Check& check) {
    return check.need == main_job && check.finding.status == Status::no;
  });
}

std::string headline(std::span<const Check> examined) {
  const auto names = [&](Status status) {
    std::string list;
    for (const Check& check : examined)
      if (check.finding.status == status) list += fmt::format("{}{}", list.empty() ? "" : ", ", check.name);
    return list;
  };
  const auto can =
      std::ranges::count_if(examined, [](const Check& check) { return check.finding.status == Status::yes; });
  std::string line =
      usable(examined)
          ? fmt::format("Weir can do {} of {} things here.", can, examined.size())
          : fmt::format("Weir cannot do its main job here; it can do {} of {} things.", can, examined.size());
  if (const std::string list = names(Status::no); !list.empty()) line += fmt::format(" Not: {}.", list);
  if (const std::string list = names(Status::partial); !list.empty())
    line += fmt::format(" In part: {}.", list);
  return line;
}

}  // namespace weir::doctor
