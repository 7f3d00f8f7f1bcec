// SPDX-License-Identifier: MIT
#pragma once
// Reading: everything that an overview says about one cgroup, taken in one go: its own limits, the limits
// that hold (over its ancestors), and what it used and suffered. What is not counted or may not be read is
// nullopt, never 0.
//
// Reader keeps what ancestors say, so that siblings share it: files that a controller which is off cannot
// have are not opened. Make one for each look at the host; limits that change meanwhile are not seen.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/stat.h"

namespace weir::cgroup {

struct Limits {
  std::optional<CpuMax> cpu_max;
  std::optional<Weight> cpu_weight;
  std::optional<Limit<Bytes>> memory_high, memory_max, memory_swap_max;
  std::optional<Limit<Pids>> pids_max;
};

/// The tightest over the cgroup and its ancestors; nullopt where no level has the file.
struct HeldLimits {
  std::optional<Effective<CpuMax>> cpu_max;
  std::optional<Effective<Limit<Bytes>>> memory_high, memory_max, memory_swap_max;
  std::optional<Effective<Limit<Pids>>> pids_max;
};

struct Usage {
  CpuStat cpu;
  /// cpu.stat.local: by its own limit or an ancestor's. Where the cpu controller is off for a cgroup its file
  /// is empty and its tasks run in the group of the nearest ancestor that has it: then that ancestor's value.
  std::optional<Micros> throttled_local;
  std::optional<Bytes> memory;
  std::optional<std::uint64_t> pids;
  MemoryEvents memory_events;
};

struct Pressures {
  Pressure cpu, memory, io;
};

struct Reading {
  CgroupId id;
  Limits limits;
  HeldLimits held;
  Usage usage;
  Pressures pressures;
};

class Reader {
 public:
  explicit Reader(const Dir& root) : root_(root) {}

  /// Everything. gone or absent: there is no such cgroup.
  Result<Reading> read(std::string_view path);
  /// Only what a rate needs: cpu.stat and cpu.stat.local.
  struct CpuReading {
    CgroupId id;
    CpuStat cpu;
    std::optional<Micros> throttled_local;
  };
  Result<CpuReading> read_cpu(std::string_view path);

 private:
  struct Controllers {
    bool cpu = false, memory = false, pids = false;
  };
  struct Level {
    Controllers for_children;
    HeldLimits held;
    std::string cpu_group;  ///< nearest level, this one or above, that the cpu controller is on for; "": none
  };

  const Level& level(std::string_view path);
  const Level& parent_level(std::string_view path);
  [[nodiscard]] std::optional<Micros> read_throttled(const Dir& dir, const Level& above) const;

  const Dir& root_;
  std::map<std::string, Level, std::less<>> levels_;
};

}  // namespace weir::cgroup
