// SPDX-License-Identifier: MIT
#include "weir/bpf/period_start.h"

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "weir/bpf/log.h"
#include "weir/bpf/period_start.skel.h"
#include "weir/bpf/period_start_event.h"
#include "weir/bpf/probe.h"
#include "weir/bpf/ring.h"

namespace weir::bpf {
namespace {

constexpr const char* kTimer = "sched_cfs_period_timer";

struct Rung {
  ProgramKind kind;
  const char* target;
  bpf_program* program;
};

}  // namespace

struct PeriodStart::Loaded {
  struct Deleter {
    void operator()(period_start_bpf* loaded) const { period_start_bpf__destroy(loaded); }
    void operator()(period_start_slot* mapped) const {
      ::munmap(mapped, sizeof(period_start_slot) * PERIOD_START_SLOTS);
    }
  };
  std::unique_ptr<period_start_bpf, Deleter> skeleton;
  std::optional<Ring<period_start_event>> ring;
  std::unique_ptr<period_start_slot, Deleter> slots;
  Link link;  // after the skeleton: destroyed first
  std::vector<Slot> free;
  std::vector<std::uint64_t> cgroups = std::vector<std::uint64_t>(PERIOD_START_SLOTS);
  std::vector<period_start_event> events;
  std::string hook;

  [[nodiscard]] period_start_slot& at(Slot slot) const { return slots.get()[slot]; }

  Result<void> attach();
};

/// The first form that this kernel loads and attaches.
Result<void> PeriodStart::Loaded::attach() {
  Error last = make_error(ErrorKind::absent, kTimer, "no kind of program to try");
  for (int rung = 0; rung < 3; ++rung) {
    skeleton.reset(period_start_bpf__open());
    if (!skeleton) return std::unexpected(errno_error(errno, "period_start", "opening a BPF program"));
    const std::array<Rung, 3> ladder = {{
        {ProgramKind::fexit, kTimer, skeleton->progs.period_fexit},
        {ProgramKind::kprobe, kTimer, skeleton->progs.period_kprobe},
        {ProgramKind::tp_btf, "hrtimer_expire_entry", skeleton->progs.period_tp_btf},
    }};
    const Rung& chosen = ladder.at(static_cast<std::size_t>(rung));
    for (const Rung& each : ladder) bpf_program__set_autoload(each.program, &each == &chosen);
    if (const auto tried = try_attach(chosen.kind, chosen.target); !tried) {
      last = tried.error();
      continue;
    }
    if (const int err = period_start_bpf__load(skeleton.get()); err != 0) {
      last = errno_error(-err, "period_start", "loading a BPF program");
      continue;
    }
    link.reset(bpf_program__attach(chosen.program));
    if (!link) {
      last = errno_error(errno, chosen.target, "attaching a BPF program");
      continue;
    }
    hook = std::string(to_string(chosen.kind)) + " " + chosen.target;
    return {};
  }
  return std::unexpected(std::move(last));
}

PeriodStart::PeriodStart(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
PeriodStart::PeriodStart(PeriodStart&&) noexcept = default;
PeriodStart& PeriodStart::operator=(PeriodStart&&) noexcept = default;
PeriodStart::~PeriodStart() = default;

Result<PeriodStart> PeriodStart::open() {
  const Log log;  // what libbpf says of the forms that this kernel lacks
  auto loaded = std::make_unique<Loaded>();
  WEIR_CHECK(loaded->attach());
  const period_start_bpf& bpf = *loaded->skeleton;
  WEIR_TRY(auto ring, Ring<period_start_event>::open(bpf.maps.events, "period_start"));
  loaded->ring.emplace(std::move(ring));
  void* slots = ::mmap(nullptr, sizeof(period_start_slot) * PERIOD_START_SLOTS, PROT_READ | PROT_WRITE,
                       MAP_SHARED, bpf_map__fd(bpf.maps.slots), 0);
  if (slots == MAP_FAILED) return std::unexpected(errno_error(errno, "period_start", "mapping its slots"));
  loaded->slots.reset(static_cast<period_start_slot*>(slots));
  for (Slot slot = PERIOD_START_SLOTS; slot > 0; --slot) loaded->free.push_back(slot - 1);
  return PeriodStart(std::move(loaded));
}

Result<PeriodStart::Slot> PeriodStart::follow(CgroupId cgroup) {
  if (loaded_->free.empty())
    return std::unexpected(
        make_error(ErrorKind::failed, "period_start", "follows as many cgroups as it can"));
  const Slot slot = loaded_->free.back();
  const std::uint64_t id = cgroup.count();
  loaded_->at(slot) = {};
  if (const int err =
          bpf_map_update_elem(bpf_map__fd(loaded_->skeleton->maps.slot_of), &id, &slot, BPF_NOEXIST);
      err != 0)
    return std::unexpected(errno_error(-err, "period_start", "follow one more cgroup"));
  loaded_->free.pop_back();
  loaded_->cgroups[slot] = id;
  return slot;
}

void PeriodStart::ignore(Slot slot) {
  bpf_map_delete_elem(bpf_map__fd(loaded_->skeleton->maps.slot_of), &loaded_->cgroups[slot]);
  loaded_->free.push_back(slot);
}

std::chrono::nanoseconds PeriodStart::last(Slot slot) const {
  return std::chrono::nanoseconds(std::atomic_ref(loaded_->at(slot).last_ns).load(std::memory_order_relaxed));
}

void PeriodStart::arm(Slot slot) { std::atomic_ref(loaded_->at(slot).armed).store(1); }
void PeriodStart::disarm(Slot slot) { std::atomic_ref(loaded_->at(slot).armed).store(0); }

int PeriodStart::fd() const { return loaded_->ring->fd(); }

void PeriodStart::drain(std::vector<Start>& starts) {
  loaded_->events.clear();
  loaded_->ring->drain(loaded_->events);
  for (const period_start_event& event : loaded_->events)
    starts.push_back({.slot = event.slot, .at = std::chrono::nanoseconds(event.time_ns)});
}

std::uint64_t PeriodStart::lost() const {
  return std::atomic_ref(loaded_->skeleton->bss->lost).load(std::memory_order_relaxed);
}

const std::string& PeriodStart::hook() const { return loaded_->hook; }

}  // namespace weir::bpf
