// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"

namespace weir::cgroup {
namespace {

constexpr std::uint64_t kMaxMicros = (std::uint64_t{1} << 44) - 1;  // kernel/sched/core.c, MAX_BW
constexpr std::uint64_t kMaxPids = 4'194'304;                       // PID_MAX_LIMIT on 64 bit

constexpr std::array kKnobs = {
    KnobInfo{Knob::cpu_max, Shape::cpu_max, "cpu.max", "cpus", "cpu",
             "QUOTA [PERIOD] | max [PERIOD] (microseconds); cpus=1.5", "cpu.max='50000 100000'",
             "CPU time that may be used in each period"},
    KnobInfo{Knob::cpu_max_burst, Shape::micros, "cpu.max.burst", "", "cpu",
             "MICROSECONDS, at most the quota", "cpu.max.burst=20000",
             "unused CPU time that may be spent later", 0, kMaxMicros},
    KnobInfo{Knob::cpu_weight, Shape::number, "cpu.weight", "", "cpu", "1 .. 10000 (default 100)",
             "cpu.weight=200", "share of the CPU among siblings under contention", 1, 10'000},
    KnobInfo{Knob::cpu_idle, Shape::flag, "cpu.idle", "", "cpu", "0 | 1", "cpu.idle=1",
             "run only when nothing else wants the CPU"},
    KnobInfo{Knob::memory_min, Shape::bytes, "memory.min", "", "memory", "SIZE | max", "memory.min=64M",
             "memory that is never reclaimed"},
    KnobInfo{Knob::memory_low, Shape::bytes, "memory.low", "", "memory", "SIZE | max", "memory.low=128M",
             "memory that is reclaimed only when nothing else is left"},
    KnobInfo{Knob::memory_high, Shape::bytes, "memory.high", "", "memory", "SIZE | max", "memory.high=400M",
             "above it the container is slowed down and reclaimed, never killed"},
    KnobInfo{Knob::memory_max, Shape::bytes, "memory.max", "memory", "memory", "SIZE | max",
             "memory.max=512M", "the hard limit: reclaim, then the OOM killer"},
    KnobInfo{Knob::memory_swap_max, Shape::bytes, "memory.swap.max", "swap", "memory", "SIZE | max",
             "memory.swap.max=0", "swap that may be used"},
    KnobInfo{Knob::memory_oom_group, Shape::flag, "memory.oom.group", "", "memory", "0 | 1",
             "memory.oom.group=1", "the OOM killer takes the whole cgroup or nothing"},
    KnobInfo{Knob::io_max, Shape::io_max, "io.max", "", "io",
             "DEVICE:KEY=N|max,... (KEY: rbps wbps riops wiops)", "io.max=8:0:wbps=4M,riops=100",
             "bytes and operations a second on a device"},
    KnobInfo{Knob::io_weight, Shape::io_weight, "io.weight", "", "io",
             "[DEVICE:]WEIGHT, 1 .. 10000 (default 100)", "io.weight=200",
             "share of a device among siblings under contention", 1, 10'000},
    KnobInfo{Knob::io_latency, Shape::io_latency, "io.latency", "", "io",
             "DEVICE:target=MICROSECONDS (or 10ms); 0 is none", "io.latency=8:0:target=10ms",
             "latency that siblings are slowed down for"},
    KnobInfo{Knob::pids_max, Shape::number, "pids.max", "pids", "pids", "N | max", "pids.max=512",
             "processes and threads", 0, kMaxPids, true},
    KnobInfo{Knob::cpuset_cpus, Shape::list, "cpuset.cpus", "", "cpuset",
             "LIST such as 0-3,7 (empty: as the parent)", "cpuset.cpus=0-3,7", "CPUs that may be used"},
    KnobInfo{Knob::cpuset_mems, Shape::list, "cpuset.mems", "", "cpuset",
             "LIST such as 0-1 (empty: as the parent)", "cpuset.mems=0", "memory nodes that may be used"},
    KnobInfo{Knob::cgroup_freeze, Shape::flag, "cgroup.freeze", "freeze", "", "0 | 1", "cgroup.freeze=1",
             "1 stops every process of the cgroup"},
};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < kKnobs.size(); ++i)
    if (kKnobs[i].knob != static_cast<Knob>(i)) return false;
  return kKnobs.back().knob == Knob::cgroup_freeze;
}
static_assert(in_enum_order(), "info() indexes the table by the enum");

}  // namespace

std::span<const KnobInfo> knobs() { return kKnobs; }

const KnobInfo& info(Knob knob) { return kKnobs.at(static_cast<std::size_t>(knob)); }

const KnobInfo* find_knob(std::string_view name) {
  const auto* found = std::find_if(kKnobs.begin(), kKnobs.end(), [&](const KnobInfo& knob) {
    return knob.file == name || (!knob.short_form.empty() && knob.short_form == name);
  });
  return found == kKnobs.end() ? nullptr : found;
}

}  // namespace weir::cgroup
