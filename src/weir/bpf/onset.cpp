// SPDX-License-Identifier: MIT
#include "weir/bpf/onset.h"

#include <bpf/bpf.h>

#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "weir/bpf/log.h"
#include "weir/bpf/onset.skel.h"
#include "weir/bpf/probe.h"
#include "weir/bpf/ring.h"

namespace weir::bpf {
namespace {

constexpr const char* kThrottle = "throttle_cfs_rq";
constexpr const char* kKill = "oom_kill_process";

std::string hook_text(const Result<ProgramKind>& kind, const char* function) {
  return kind ? std::string(to_string(*kind)) + " " + function : std::string();
}

}  // namespace

struct Onset::Loaded {
  struct Deleter {
    void operator()(onset_bpf* loaded) const { onset_bpf__destroy(loaded); }
  };
  std::unique_ptr<onset_bpf, Deleter> skeleton;
  std::optional<Ring<onset_event>> ring;
  std::vector<Link> links;  // after the skeleton: destroyed first
  std::string throttle_hook, kill_hook;
};

Onset::Onset(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Onset::Onset(Onset&&) noexcept = default;
Onset& Onset::operator=(Onset&&) noexcept = default;
Onset::~Onset() = default;

Result<Onset> Onset::open(std::chrono::nanoseconds pause) {
  const Log log;  // what libbpf says of the forms that this kernel lacks
  const auto throttle = first_that_attaches(std::array{ProgramKind::fexit, ProgramKind::kprobe}, kThrottle);
  const auto kill = first_that_attaches(std::array{ProgramKind::fexit, ProgramKind::kprobe}, kKill);
  if (!throttle && !kill) return std::unexpected(throttle.error());
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(onset_bpf__open());
  if (!loaded->skeleton) return std::unexpected(errno_error(errno, "onset", "opening a BPF program"));
  loaded->skeleton->rodata->pause_ns = static_cast<std::uint64_t>(pause.count());
  const auto& programs = loaded->skeleton->progs;
  const std::array<std::pair<bpf_program*, bool>, 4> forms = {{
      {programs.throttle_fexit, throttle && *throttle == ProgramKind::fexit},
      {programs.throttle_kprobe, throttle && *throttle == ProgramKind::kprobe},
      {programs.kill_fexit, kill && *kill == ProgramKind::fexit},
      {programs.kill_kprobe, kill && *kill == ProgramKind::kprobe},
  }};
  for (const auto& [program, chosen] : forms) bpf_program__set_autoload(program, chosen);
  if (const int err = onset_bpf__load(loaded->skeleton.get()); err != 0)
    return std::unexpected(errno_error(-err, "onset", "loading a BPF program"));
  WEIR_TRY(auto ring, Ring<onset_event>::open(loaded->skeleton->maps.events, "onset"));
  loaded->ring.emplace(std::move(ring));
  for (const auto& [program, chosen] : forms) {
    if (!chosen) continue;
    loaded->links.emplace_back(bpf_program__attach(program));
    if (!loaded->links.back()) return std::unexpected(errno_error(errno, "onset", "attaching a BPF program"));
  }
  loaded->throttle_hook = hook_text(throttle, kThrottle);
  loaded->kill_hook = hook_text(kill, kKill);
  return Onset(std::move(loaded));
}

Result<void> Onset::watch(CgroupId cgroup) {
  const std::uint64_t id = cgroup.count(), never = 0;
  if (const int err = bpf_map_update_elem(bpf_map__fd(loaded_->skeleton->maps.cgroups), &id, &never, BPF_ANY);
      err != 0)
    return std::unexpected(errno_error(-err, "onset", "watch one more cgroup"));
  return {};
}

void Onset::ignore(CgroupId cgroup) {
  const std::uint64_t id = cgroup.count();
  bpf_map_delete_elem(bpf_map__fd(loaded_->skeleton->maps.cgroups), &id);
}

int Onset::fd() const { return loaded_->ring->fd(); }
void Onset::drain(std::vector<onset_event>& events) { loaded_->ring->drain(events); }

std::uint64_t Onset::lost() const {
  return std::atomic_ref(loaded_->skeleton->bss->lost).load(std::memory_order_relaxed);
}

const std::string& Onset::throttle_hook() const { return loaded_->throttle_hook; }
const std::string& Onset::kill_hook() const { return loaded_->kill_hook; }

}  // namespace weir::bpf
