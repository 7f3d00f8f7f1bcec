// SPDX-License-Identifier: MIT
#include "weir/bpf/knob_watch.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "weir/bpf/knob_watch.skel.h"
#include "weir/bpf/log.h"
#include "weir/bpf/probe.h"
#include "weir/bpf/ring.h"

namespace weir::bpf {
namespace {

constexpr const char* kFunction = "cgroup_file_write";

}  // namespace

struct KnobWatch::Loaded {
  struct Deleter {
    void operator()(knob_watch_bpf* loaded) const { knob_watch_bpf__destroy(loaded); }
  };
  std::unique_ptr<knob_watch_bpf, Deleter> skeleton;
  std::optional<Ring<knob_watch_event>> ring;
  Link link;  // after the skeleton: destroyed first
  ProgramKind kind{};
  std::string hook;
};

KnobWatch::KnobWatch(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
KnobWatch::KnobWatch(KnobWatch&&) noexcept = default;
KnobWatch& KnobWatch::operator=(KnobWatch&&) noexcept = default;
KnobWatch::~KnobWatch() = default;

Result<KnobWatch> KnobWatch::open() {
  const Log log;
  WEIR_TRY(const ProgramKind kind,
           first_that_attaches(std::array{ProgramKind::fexit, ProgramKind::kprobe}, kFunction));
  auto loaded = std::make_unique<Loaded>();
  loaded->skeleton.reset(knob_watch_bpf__open());
  if (!loaded->skeleton) return std::unexpected(errno_error(errno, "knob_watch", "opening a BPF program"));
  knob_watch_bpf& bpf = *loaded->skeleton;
  bpf.rodata->own_tgid = static_cast<std::uint32_t>(::getpid());
  bpf_program* chosen = kind == ProgramKind::fexit ? bpf.progs.write_fexit : bpf.progs.write_kprobe;
  bpf_program__set_autoload(bpf.progs.write_fexit, chosen == bpf.progs.write_fexit);
  bpf_program__set_autoload(bpf.progs.write_kprobe, chosen == bpf.progs.write_kprobe);
  if (const int err = knob_watch_bpf__load(&bpf); err != 0)
    return std::unexpected(errno_error(-err, "knob_watch", "loading a BPF program"));
  WEIR_TRY(auto ring, Ring<knob_watch_event>::open(bpf.maps.events, "knob_watch"));
  loaded->ring.emplace(std::move(ring));
  loaded->link.reset(bpf_program__attach(chosen));
  if (!loaded->link) return std::unexpected(errno_error(errno, kFunction, "attaching a BPF program"));
  loaded->kind = kind;
  loaded->hook = std::string(to_string(kind)) + " " + kFunction;
  return KnobWatch(std::move(loaded));
}

Result<void> KnobWatch::watch(std::uint64_t file) {
  const std::uint8_t yes = 1;
  if (const int err = bpf_map_update_elem(bpf_map__fd(loaded_->skeleton->maps.files), &file, &yes, BPF_ANY);
      err != 0)
    return std::unexpected(errno_error(-err, "knob_watch", "watch one more file"));
  return {};
}

void KnobWatch::ignore(std::uint64_t file) {
  bpf_map_delete_elem(bpf_map__fd(loaded_->skeleton->maps.files), &file);
}

int KnobWatch::fd() const { return loaded_->ring->fd(); }
void KnobWatch::drain(std::vector<knob_watch_event>& events) { loaded_->ring->drain(events); }

std::uint64_t KnobWatch::lost() const {
  return std::atomic_ref(loaded_->skeleton->bss->lost).load(std::memory_order_relaxed);
}

bool KnobWatch::sees_value() const { return loaded_->kind == ProgramKind::fexit; }

const std::string& KnobWatch::hook() const { return loaded_->hook; }

}  // namespace weir::bpf
