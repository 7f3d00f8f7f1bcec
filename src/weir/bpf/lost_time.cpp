// SPDX-License-Identifier: MIT
#include "weir/bpf/lost_time.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <map>

#include "weir/base/clock.h"
#include "weir/bpf/log.h"
#include "weir/bpf/lost_time.skel.h"
#include "weir/bpf/lost_time_sums.h"
#include "weir/bpf/probe.h"
#include "weir/bpf/ring.h"

namespace weir::bpf {
namespace {

using std::chrono::nanoseconds;

constexpr const char* kWalk = "tg_throttle_down";
constexpr std::size_t kHeldPart = offsetof(lost_time_sums, waited_ns);
constexpr int kReads = 8;

using PerCpu = std::vector<lost_time_sums>;

bool same_held(const PerCpu& one, const PerCpu& other) {
  return std::ranges::equal(one, other, [](const lost_time_sums& a, const lost_time_sums& b) {
    return std::memcmp(&a, &b, kHeldPart) == 0;
  });
}

LostTime::Sums sum_up(const PerCpu& cpus, CgroupId cgroup, std::uint64_t now) {
  LostTime::Sums sums;
  std::array<lost_time_level, LOST_TIME_LEVELS> levels{};
  std::map<std::uint64_t, std::uint64_t> rivals;
  for (const lost_time_sums& cpu : cpus) {
    sums.waited += nanoseconds(cpu.waited_ns);
    for (const lost_time_rival& rival : cpu.rivals)
      if (rival.used_ns > 0) rivals[rival.cgroup] += rival.used_ns;
    for (std::size_t level = 0; level < levels.size(); ++level) {
      if (cpu.levels[level].cgroup != 0) levels[level].cgroup = cpu.levels[level].cgroup;
      levels[level].held_ns += cpu.levels[level].held_ns;
    }
    if (cpu.held_since != 0 && cpu.holding != 0 && now > cpu.held_since)
      levels.at(static_cast<std::size_t>(std::countr_zero(cpu.holding))).held_ns += now - cpu.held_since;
  }
  nanoseconds most{0};
  for (const lost_time_level& level : levels) {
    const nanoseconds held(level.held_ns);
    if (level.cgroup == cgroup.count()) {
      sums.held_own = held;
      continue;
    }
    sums.held_above += held;
    if (held <= most) continue;
    most = held;
    sums.above = CgroupId(level.cgroup);
  }
  for (const auto& [id, used] : rivals) sums.rivals.emplace_back(CgroupId(id), nanoseconds(used));
  std::ranges::stable_sort(sums.rivals, std::greater{}, &LostTime::Sums::Rival::second);
  return sums;
}

}  // namespace

struct LostTime::Loaded {
  struct Deleter {
    void operator()(lost_time_bpf* loaded) const { lost_time_bpf__destroy(loaded); }
  };
  std::unique_ptr<lost_time_bpf, Deleter> skeleton;
  std::vector<Link> links;  // after the skeleton: destroyed first
  std::size_t cpus = 0;
  std::string hook;

  [[nodiscard]] int sums() const { return bpf_map__fd(skeleton->maps.sums_of); }
  /// Who belongs to whom is to be found out again.
  void forget() const { std::atomic_ref(skeleton->bss->generation).fetch_add(1); }
};

LostTime::LostTime(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
LostTime::LostTime(LostTime&&) noexcept = default;
LostTime& LostTime::operator=(LostTime&&) noexcept = default;
LostTime::~LostTime() = default;

Result<LostTime> LostTime::open() {
  const Log log;  // what libbpf says of the forms that this kernel lacks
  WEIR_TRY(const ProgramKind kind,
           first_that_attaches(std::array{ProgramKind::fentry, ProgramKind::kprobe}, kWalk));
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return std::unexpected(errno_error(-cpus, "lost_time", "counting the CPUs"));
  auto loaded = std::make_unique<Loaded>();
  loaded->cpus = static_cast<std::size_t>(cpus);
  loaded->skeleton.reset(lost_time_bpf__open());
  if (!loaded->skeleton) return std::unexpected(errno_error(errno, "lost_time", "opening a BPF program"));
  const auto& programs = loaded->skeleton->progs;
  const bool fentry = kind == ProgramKind::fentry;
  const std::array<std::pair<bpf_program*, bool>, 11> forms = {{
      {programs.throttle_fentry, fentry},
      {programs.unthrottle_fentry, fentry},
      {programs.down_fentry, fentry},
      {programs.up_fentry, fentry},
      {programs.throttle_kprobe, !fentry},
      {programs.unthrottle_kprobe, !fentry},
      {programs.down_kprobe, !fentry},
      {programs.up_kprobe, !fentry},
      {programs.switch_tp_btf, true},
      {programs.wakeup_tp_btf, true},
      {programs.wakeup_new_tp_btf, true},
  }};
  for (const auto& [program, chosen] : forms) bpf_program__set_autoload(program, chosen);
  if (const int err = lost_time_bpf__load(loaded->skeleton.get()); err != 0)
    return std::unexpected(errno_error(-err, "lost_time", "loading a BPF program: " + log.last_warning()));
  for (const auto& [program, chosen] : forms) {
    if (!chosen) continue;
    loaded->links.emplace_back(bpf_program__attach(program));
    if (!loaded->links.back())
      return std::unexpected(errno_error(errno, bpf_program__name(program), "attaching a BPF program"));
  }
  loaded->hook = std::string(to_string(kind)) + " " + kWalk;
  return LostTime(std::move(loaded));
}

Result<void> LostTime::watch(CgroupId cgroup) {
  const std::uint64_t id = cgroup.count();
  const auto now = static_cast<std::uint64_t>(SystemClock().monotonic().count());
  const PerCpu none(loaded_->cpus, lost_time_sums{.begin_ns = now});
  const int err = bpf_map_update_elem(loaded_->sums(), &id, none.data(), BPF_NOEXIST);
  if (err != 0 && err != -EEXIST)
    return std::unexpected(errno_error(-err, "lost_time", "watch one more cgroup"));
  loaded_->forget();
  return {};
}

void LostTime::ignore(CgroupId cgroup) {
  const std::uint64_t id = cgroup.count();
  bpf_map_delete_elem(loaded_->sums(), &id);
  loaded_->forget();
}

Result<LostTime::Sums> LostTime::read(CgroupId cgroup) const {
  const std::uint64_t id = cgroup.count();
  PerCpu cpus(loaded_->cpus), before;
  // The kernel writes while it copies. What is the same twice was not written meanwhile.
  for (int reads = 0; reads < kReads; ++reads) {
    before = cpus;
    if (const int err = bpf_map_lookup_elem(loaded_->sums(), &id, cpus.data()); err != 0)
      return std::unexpected(
          make_error(ErrorKind::gone, "lost_time", "reading the sums of a cgroup that is not watched"));
    if (reads > 0 && same_held(cpus, before)) break;
  }
  return sum_up(cpus, cgroup, static_cast<std::uint64_t>(SystemClock().monotonic().count()));
}

const std::string& LostTime::hook() const { return loaded_->hook; }

}  // namespace weir::bpf
