// SPDX-License-Identifier: MIT
// Each kind of program is loaded and attached with one that does nothing: versions and configurations say
// little.
#include <fmt/format.h>

#include "weir/bpf/probe.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

Finding attaches(bpf::ProgramKind kind, std::string_view target, std::string_view cost,
                 std::string_view fix) {
  if (const auto tried = bpf::try_attach(kind, target); !tried) return no(tried.error(), cost, fix);
  return yes(fmt::format("attached to {}", target));
}

}  // namespace

Finding bpf_tp_btf(const HostPaths&) {
  return attaches(bpf::ProgramKind::tp_btf, "sched_switch",
                  "raw tracepoints do the same where they attach, with less checking by the kernel",
                  "Linux 5.5 and later with BTF");
}
Finding bpf_raw_tracepoint(const HostPaths&) {
  return attaches(bpf::ProgramKind::raw_tracepoint, "sched_switch",
                  "the older way for kernels without tp_btf is missing", "Linux 4.17 and later");
}
Finding bpf_fentry(const HostPaths&) {
  return attaches(bpf::ProgramKind::fentry, "vfs_write",
                  "kprobes time kernel functions instead, at two to three times the cost for each call",
                  "CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS");
}
Finding bpf_fexit(const HostPaths&) {
  return attaches(bpf::ProgramKind::fexit, "vfs_write",
                  "return probes take its place, at three times the cost",
                  "CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS");
}
Finding bpf_kprobe(const HostPaths&) {
  return attaches(bpf::ProgramKind::kprobe, "vfs_write",
                  "where fentry is refused as well, inner kernel functions cannot be timed",
                  "CONFIG_KPROBE_EVENTS=y");
}
Finding bpf_tracepoint(const HostPaths&) {
  return attaches(bpf::ProgramKind::tracepoint, "sched:sched_switch",
                  "the last way for kernels without tp_btf and raw tracepoints is missing",
                  "weir doctor --fix mounts tracefs; CONFIG_BPF_EVENTS=y");
}

}  // namespace weir::doctor
