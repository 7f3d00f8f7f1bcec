// SPDX-License-Identifier: MIT
#include "weir/bpf/limit_write.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "weir/bpf/limit_write.skel.h"
#include "weir/bpf/log.h"
#include "weir/bpf/probe.h"
#include "weir/bpf/ring.h"

namespace weir::bpf {
namespace {

/// One form of a hook: the kind of program, and which program of the skeleton it is.
struct Rung {
  ProgramKind kind;
  bpf_program* program;
  bpf_program* entry = nullptr;  ///< for a kretprobe: the kprobe that notes the arguments
};

/// A hook whose form was chosen.
struct Chosen {
  Rung rung{};
  std::string function;
};

struct Choice {
  Hook hook;
  Chosen chosen;
};

/// The first rung that this kernel attaches to `function`; its programs are marked for loading.
Choice choose(const std::string& function, std::initializer_list<Rung> ladder) {
  std::string reasons;
  for (const Rung& rung : ladder) {
    if (const auto tried = try_attach(rung.kind, function); !tried) {
      reasons += reasons.empty() ? "" : "; ";
      reasons += std::string(to_string(rung.kind)) + ": " + tried.error().message();
      continue;
    }
    bpf_program__set_autoload(rung.program, true);
    if (rung.entry != nullptr) bpf_program__set_autoload(rung.entry, true);
    return {.hook = {.name = std::string(to_string(rung.kind)) + " " + function, .why_not = {}},
            .chosen = {.rung = rung, .function = function}};
  }
  return {.hook = {.name = {}, .why_not = reasons}, .chosen = {}};
}

Result<void> attach(const Chosen& chosen, std::vector<Link>& links) {
  const Rung& rung = chosen.rung;
  const Log log;
  const auto keep = [&](bpf_link* link) -> Result<void> {
    if (link == nullptr) {
      Error error = errno_error(errno, chosen.function, "attaching a BPF program");
      if (const std::string reason = log.last_warning(); !reason.empty()) error.what += " (" + reason + ")";
      return std::unexpected(error);
    }
    links.emplace_back(link);
    return {};
  };
  const char* function = chosen.function.c_str();
  switch (rung.kind) {
    case ProgramKind::kprobe:
      return keep(bpf_program__attach_kprobe(rung.program, false, function));
    case ProgramKind::kretprobe:
      WEIR_CHECK(keep(bpf_program__attach_kprobe(rung.entry, false, function)));
      return keep(bpf_program__attach_kprobe(rung.program, true, function));
    case ProgramKind::raw_tracepoint:
      return keep(bpf_program__attach_raw_tracepoint(rung.program, function));
    default:
      return keep(bpf_program__attach_trace(rung.program));
  }
}

}  // namespace

struct LimitWrite::Loaded {
  struct Deleter {
    void operator()(limit_write_bpf* loaded) const { limit_write_bpf__destroy(loaded); }
  };
  std::unique_ptr<limit_write_bpf, Deleter> skeleton;
  std::optional<Ring<limit_write_event>> ring;
  LimitWriteHooks hooks;
  std::vector<Chosen> effect;
  std::vector<Link> links, effect_links;  // after the skeleton: destroyed first
};

LimitWrite::LimitWrite(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
LimitWrite::LimitWrite(LimitWrite&&) noexcept = default;
LimitWrite& LimitWrite::operator=(LimitWrite&&) noexcept = default;
LimitWrite::~LimitWrite() = default;

Result<LimitWrite> LimitWrite::open(const LimitWriteTarget& target) {
  const Log log;
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(limit_write_bpf__open());
  if (!loaded->skeleton) return std::unexpected(errno_error(errno, "limit_write", "opening a BPF program"));
  limit_write_bpf& bpf = *loaded->skeleton;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, bpf.obj) bpf_program__set_autoload(program, false);

  LimitWriteHooks& hooks = loaded->hooks;
  std::vector<Chosen> always;
  const auto settle = [](Choice choice, Hook& hook, std::vector<Chosen>& list) {
    hook = std::move(choice.hook);
    if (hook.watched()) list.push_back(std::move(choice.chosen));
  };

  settle(choose("vfs_write", {{ProgramKind::fentry, bpf.progs.entry_fentry},
                              {ProgramKind::kprobe, bpf.progs.entry_kprobe}}),
         hooks.entry, always);
  const bool of_file = target.handler_kind == HandlerKind::of_file;
  bpf_program* fexit = of_file ? bpf.progs.file_handler_fexit : bpf.progs.css_handler_fexit;
  bpf_program* kprobe = of_file ? bpf.progs.file_handler_kprobe : bpf.progs.css_handler_kprobe;
  settle(choose(target.handler,
                {{ProgramKind::fexit, fexit}, {ProgramKind::kretprobe, bpf.progs.handler_kretprobe, kprobe}}),
         hooks.handler, always);
  if (bpf_program__autoload(fexit)) bpf_program__set_attach_target(fexit, 0, target.handler.c_str());

  if (target.effect == Effect::throttle) {
    Choice by_task = choose("throttle_cfs_rq_work", {{ProgramKind::fentry, bpf.progs.throttle_work_fentry},
                                                     {ProgramKind::kprobe, bpf.progs.throttle_work_kprobe}});
    if (by_task.hook.watched())
      settle(std::move(by_task), hooks.throttled, loaded->effect);
    else
      settle(choose("throttle_cfs_rq", {{ProgramKind::fexit, bpf.progs.throttle_fexit},
                                        {ProgramKind::kprobe, bpf.progs.throttle_kprobe}}),
             hooks.throttled, loaded->effect);
    settle(choose("sched_switch", {{ProgramKind::tp_btf, bpf.progs.run_tp_btf},
                                   {ProgramKind::raw_tracepoint, bpf.progs.run_raw_tp}}),
           hooks.ran, loaded->effect);
  }
  if (target.effect == Effect::reclaim)
    settle(choose("try_to_free_mem_cgroup_pages", {{ProgramKind::fentry, bpf.progs.reclaim_fentry},
                                                   {ProgramKind::kprobe, bpf.progs.reclaim_kprobe}}),
           hooks.reclaim, loaded->effect);
  if (always.empty() && loaded->effect.empty())
    return std::unexpected(
        make_error(ErrorKind::absent, "eBPF", "no hook can be attached: " + hooks.entry.why_not));

  bpf.rodata->target_cgroup = target.cgroup.count();
  bpf.rodata->target_file = target.file_inode;
  bpf.rodata->target_level = target.level;
  if (const int err = limit_write_bpf__load(&bpf); err != 0) {
    Error error = errno_error(-err, "limit_write", "loading a BPF program");
    if (const std::string reason = log.last_warning(); !reason.empty()) error.what += " (" + reason + ")";
    return std::unexpected(error);
  }
  WEIR_TRY(auto ring, Ring<limit_write_event>::open(bpf.maps.events, "limit_write"));
  loaded->ring.emplace(std::move(ring));
  for (const Chosen& chosen : always) WEIR_CHECK(attach(chosen, loaded->links));
  return LimitWrite(std::move(loaded));
}

const LimitWriteHooks& LimitWrite::hooks() const { return loaded_->hooks; }

Result<void> LimitWrite::watch_effect() {
  if (!loaded_->effect_links.empty()) return {};
  for (const Chosen& chosen : loaded_->effect) WEIR_CHECK(attach(chosen, loaded_->effect_links));
  return {};
}

void LimitWrite::ignore_effect() { loaded_->effect_links.clear(); }

void LimitWrite::drain(std::vector<limit_write_event>& events) { loaded_->ring->drain(events); }

std::uint64_t LimitWrite::lost() const {
  return __atomic_load_n(&loaded_->skeleton->bss->lost, __ATOMIC_RELAXED);
}

}  // namespace weir::bpf
