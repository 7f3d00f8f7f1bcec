// SPDX-License-Identifier: MIT
#pragma once
// The checks by theme, one file each. Those that only read take the text they judge from HostPaths; those
// that try something (BPF, triggers, perf events) undo it at once.

#include <string_view>

#include "weir/doctor/check.h"

namespace weir::doctor {

// kernel.cpp
Finding kernel_release(const HostPaths& paths);
Finding btf(const HostPaths& paths);
Finding tracefs(const HostPaths& paths);
Finding kprobes(const HostPaths& paths);
Finding lockdown(const HostPaths& paths);
Finding sched_ext(const HostPaths& paths);
Finding clock_source(const HostPaths& paths);

// cgroup.cpp
Finding cgroup_mode(const HostPaths& paths);
Finding cgroup_writable(const HostPaths& paths);
Finding controller(const HostPaths& paths, std::string_view name, std::string_view cost);
Finding cpu_stat_local(const HostPaths& paths);
/// The pure part of controller(): the texts of the root's cgroup.controllers and cgroup.subtree_control, and
/// /proc/cgroups.
Finding judge_controller(std::string_view name, std::string_view available, std::string_view handed_down,
                         std::string_view proc_cgroups, std::string_view cost);

// bpf.cpp
Finding bpf_tp_btf(const HostPaths& paths);
Finding bpf_raw_tracepoint(const HostPaths& paths);
Finding bpf_fentry(const HostPaths& paths);
Finding bpf_fexit(const HostPaths& paths);
Finding bpf_kprobe(const HostPaths& paths);
Finding bpf_tracepoint(const HostPaths& paths);

// pressure.cpp
Finding pressure_files(const HostPaths& paths);
Finding pressure_triggers(const HostPaths& paths);
Finding pressure_triggers_for_users(const HostPaths& paths);

// perf.cpp
Finding perf_software(const HostPaths& paths);
Finding perf_hardware(const HostPaths& paths);
Finding perf_cgroup(const HostPaths& paths);
Finding perf_event_paranoid(const HostPaths& paths);

// resctrl.cpp
Finding resctrl(const HostPaths& paths);

// runtimes.cpp
Finding docker(const HostPaths& paths);
Finding podman(const HostPaths& paths);
Finding lxc(const HostPaths& paths);
Finding containerd_or_crio(const HostPaths& paths);
Finding systemd_manager(const HostPaths& paths);

// privileges.cpp
Finding host_namespaces(const HostPaths& paths);
/// `number` as in capability.h.
Finding capability(const HostPaths& paths, unsigned number, std::string_view name, std::string_view cost);
/// Whether the effective set in /proc/self/status holds it; false where it cannot be read.
bool holds_capability(const HostPaths& paths, unsigned number);

}  // namespace weir::doctor
