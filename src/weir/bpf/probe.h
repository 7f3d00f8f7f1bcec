// SPDX-License-Identifier: MIT
#pragma once
// Probe: can this host load and attach a BPF program of this kind to this target? It is tried with a program
// that does nothing, and undone at once. Kernel versions and config files say little: some kernels have BTF
// and refuse fentry, some have no kprobes.

#include <string_view>

#include "weir/base/error.h"

namespace weir::bpf {

enum class ProgramKind { tp_btf, raw_tracepoint, fentry, fexit, kprobe, kretprobe, tracepoint };

/// "tp_btf", "raw_tp", "fentry", "fexit", "kprobe", "kretprobe", "tracepoint".
std::string_view to_string(ProgramKind kind);

/// Loads and attaches a program that does nothing, then takes it away. `target` is a function ("vfs_write")
/// or a tracepoint: "sched_switch" for tp_btf and raw_tracepoint, "sched:sched_switch" for tracepoint.
/// refused: no permission (or lockdown); absent: no BTF, no such function or tracepoint, or the kernel has no
/// such kind; failed: anything else. `what` says whether loading or attaching failed, with libbpf's reason.
Result<void> try_attach(ProgramKind kind, std::string_view target);

/// The first of `kinds` that attaches to `target`; the error of the last one where none does.
template <typename Kinds>
Result<ProgramKind> first_that_attaches(const Kinds& kinds, std::string_view target) {
  Error last = make_error(ErrorKind::absent, target, "no kind of program to try");
  for (const ProgramKind kind : kinds) {
    const Result<void> tried = try_attach(kind, target);
    if (tried) return kind;
    last = tried.error();
  }
  return std::unexpected(last);
}

}  // namespace weir::bpf
