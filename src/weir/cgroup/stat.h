// SPDX-License-Identifier: MIT
#pragma once
// What a cgroup has used and suffered: typed readers of cpu.stat, cpu.stat.local, memory.current,
// memory.stat, memory.events, io.stat, pids.current, *.pressure. A missing line is nullopt (not counted),
// never 0.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {

using Micros = std::chrono::microseconds;

struct CpuStat {
  std::optional<Micros> usage, user, system;
  std::optional<std::uint64_t> nr_periods, nr_throttled;  ///< only with the cpu controller
  std::optional<Micros> throttled;                        ///< by this cgroup's own cpu.max
};
/// cpu.stat.local: time this cgroup's run queues were throttled, by its own limit or an ancestor's (6.6 and
/// later).
struct CpuStatLocal {
  std::optional<Micros> throttled;
};
struct MemoryEvents {
  std::optional<std::uint64_t> low, high, max, oom, oom_kill, oom_group_kill;
};
struct PressureLine {
  double avg10 = 0, avg60 = 0, avg300 = 0;  ///< percent
  Micros total{0};
};
struct Pressure {
  std::optional<PressureLine> some, full;
};
struct IoCounters {
  std::uint64_t rbytes = 0, wbytes = 0, rios = 0, wios = 0;
};
enum class Resource { cpu, memory, io };

Result<CpuStat> parse_cpu_stat(std::string_view text);
Result<CpuStatLocal> parse_cpu_stat_local(std::string_view text);
Result<MemoryEvents> parse_memory_events(std::string_view text);
Result<Pressure> parse_pressure(std::string_view text);
Result<std::map<std::string, IoCounters>> parse_io_stat(std::string_view text);  ///< by "MAJ:MIN"
/// "key value" lines into a map; bad lines are an error.
Result<std::map<std::string, std::uint64_t, std::less<>>> parse_flat_keyed(std::string_view text);

Result<CpuStat> read_cpu_stat(const Dir& dir);
Result<CpuStatLocal> read_cpu_stat_local(const Dir& dir);
Result<MemoryEvents> read_memory_events(const Dir& dir);
Result<Bytes> read_memory_current(const Dir& dir);
Result<std::uint64_t> read_pids_current(const Dir& dir);
/// Read at most once a second per host: faster reading destroys stall time (all readers share the kernel's
/// aggregator).
Result<Pressure> read_pressure(const Dir& dir, Resource resource);

}  // namespace weir::cgroup
