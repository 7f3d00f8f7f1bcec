// SPDX-License-Identifier: MIT
#pragma once
// Host: how busy the machine as a whole is, from /proc/stat and /proc/loadavg.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"

namespace weir::proc {

/// Clock ticks of all CPUs together since boot (the line "cpu" of /proc/stat).
struct CpuTimes {
  std::uint64_t idle = 0;  ///< idle and iowait
  std::uint64_t total = 0;
  std::uint32_t cpus = 0;  ///< how many are online
};
Result<CpuTimes> parse_cpu_times(std::string_view proc_stat);
/// Busy share 0..1 between two readings; nullopt where no tick passed.
std::optional<double> busy_share(const CpuTimes& before, const CpuTimes& after);

/// The average over one minute.
Result<double> parse_load(std::string_view proc_loadavg);

}  // namespace weir::proc
