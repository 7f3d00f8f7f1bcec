// SPDX-License-Identifier: MIT
#pragma once
// Rows of `weir ls` and of the overview: what was read, turned into rates, shares, and the one cause a
// container suffers from most. Pure: the same readings give the same rows.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/reading.h"
#include "weir/model/container.h"

namespace weir::cli {

/// The CPU counters again, a window after the first reading.
struct Later {
  cgroup::Reader::CpuReading cpu;
  std::chrono::nanoseconds window{0};
};

/// One container as it was read. Without a `later` reading there are no rates, only shares since it started.
struct Snapshot {
  Container container;
  cgroup::Reading reading;
  std::optional<Later> later;
};

/// What slows a container most.
enum class Cause {
  none,
  own_cpu_limit,       ///< its own cpu.max throttles it
  ancestor_cpu_limit,  ///< the cpu.max of a level above does
  cpu_contention,      ///< it waits for a CPU that others use
  memory_limit,        ///< it reclaims against memory.high or memory.max, its own or a level's above
  memory_pressure,     ///< it stalls on memory far from any limit: the host is short
  io_pressure,
  oom_kills,  ///< nothing now, but processes were killed since it started
};
/// "own_cpu_limit": for JSON.
std::string_view to_string(Cause cause);

struct Row {
  Container container;
  cgroup::Reading reading;
  std::optional<double> cpu_percent;  ///< of one CPU, over the window
  std::optional<double>
      throttled_periods;  ///< own cpu.max: periods throttled / periods; since start without a window
  std::optional<double>
      throttled_time;  ///< own or an ancestor's: throttled time / window, summed over run queues
  Cause cause = Cause::none;
  std::string holder;    ///< the cgroup whose limit it is, where the cause is a limit
  double suffering = 0;  ///< percent of time lost to the cause, roughly; what rows are sorted by
};

/// Sorted by suffering, then by CPU use (over the window, else since start), then by name.
std::vector<Row> make_rows(std::vector<Snapshot> snapshots);

/// "own cpu.max", "cpu.max of /a", "3 oom kills": for people.
std::string cause_text(const Row& row);

}  // namespace weir::cli
