// SPDX-License-Identifier: MIT
#include "weir/bpf/probe.h"

#include <bpf/libbpf.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "weir/bpf/log.h"
#include "weir/bpf/probe.skel.h"

namespace weir::bpf {
namespace {

struct KindInfo {
  ProgramKind kind;
  std::string_view name;
  const char* program;
};

constexpr std::array kKinds{
    KindInfo{ProgramKind::tp_btf, "tp_btf", "on_tp_btf"},
    KindInfo{ProgramKind::raw_tracepoint, "raw_tp", "on_raw_tp"},
    KindInfo{ProgramKind::fentry, "fentry", "on_fentry"},
    KindInfo{ProgramKind::fexit, "fexit", "on_fexit"},
    KindInfo{ProgramKind::kprobe, "kprobe", "on_kprobe"},
    KindInfo{ProgramKind::kretprobe, "kretprobe", "on_kretprobe"},
    KindInfo{ProgramKind::tracepoint, "tracepoint", "on_tracepoint"},
};

const KindInfo& info(ProgramKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }

/// libbpf's errors for a missing target are ENOENT and ESRCH; errno_error() would read ESRCH as a dead
/// process.
Error refusal(int err, std::string_view target, std::string_view doing, const Log& log) {
  Error error = errno_error(err == ESRCH ? ENOENT : err, target, doing);
  if (err == ESRCH || err == EINVAL || err == ENOTSUP) error.kind = ErrorKind::absent;
  if (const std::string reason = log.last_warning(); !reason.empty()) error.what += " (" + reason + ")";
  if (err == EPERM || err == EACCES)
    error.hint = "run as root: loading BPF programs needs CAP_BPF and CAP_PERFMON";
  return error;
}

bpf_link* attach(ProgramKind kind, const bpf_program* program, const std::string& target) {
  switch (kind) {
    case ProgramKind::tp_btf:
    case ProgramKind::fentry:
    case ProgramKind::fexit:
      return bpf_program__attach_trace(program);
    case ProgramKind::raw_tracepoint:
      return bpf_program__attach_raw_tracepoint(program, target.c_str());
    case ProgramKind::kprobe:
      return bpf_program__attach_kprobe(program, false, target.c_str());
    case ProgramKind::kretprobe:
      return bpf_program__attach_kprobe(program, true, target.c_str());
    case ProgramKind::tracepoint: {
      const std::size_t colon = target.find(':');
      if (colon == std::string::npos) return errno = EINVAL, nullptr;
      return bpf_program__attach_tracepoint(program, target.substr(0, colon).c_str(),
                                            target.substr(colon + 1).c_str());
    }
  }
  return errno = EINVAL, nullptr;
}

bool named_in_btf(ProgramKind kind) {
  return kind == ProgramKind::tp_btf || kind == ProgramKind::fentry || kind == ProgramKind::fexit;
}

}  // namespace

std::string_view to_string(ProgramKind kind) { return info(kind).name; }

Result<void> try_attach(ProgramKind kind, std::string_view target_view) {
  const std::string target(target_view);
  const Log log;
  const std::unique_ptr<probe_bpf, decltype(&probe_bpf__destroy)> probe(probe_bpf__open(),
                                                                        probe_bpf__destroy);
  if (!probe) return std::unexpected(refusal(errno, target, "opening a BPF probe", log));

  bpf_program* wanted = bpf_object__find_program_by_name(probe->obj, info(kind).program);
  WEIR_ASSERT(wanted != nullptr);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, probe->obj) bpf_program__set_autoload(program, program == wanted);
  if (named_in_btf(kind)) {
    if (const int err = bpf_program__set_attach_target(wanted, 0, target.c_str()); err != 0) {
      // libbpf frees the kernel's BTF (11 MiB) at the end of a load and nowhere else: load nothing.
      bpf_program__set_autoload(wanted, false);
      (void)probe_bpf__load(probe.get());
      return std::unexpected(
          refusal(-err, target, std::string("finding it in BTF for ") + info(kind).name.data(), log));
    }
  }
  if (const int err = probe_bpf__load(probe.get()); err != 0)
    return std::unexpected(
        refusal(-err, target, std::string("loading a BPF program: ") + info(kind).name.data(), log));
  const std::unique_ptr<bpf_link, decltype(&bpf_link__destroy)> link(attach(kind, wanted, target),
                                                                     bpf_link__destroy);
  if (!link)
    return std::unexpected(
        refusal(errno, target, std::string("attaching a BPF program: ") + info(kind).name.data(), log));
  return {};
}

}  // namespace weir::bpf
