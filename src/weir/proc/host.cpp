// SPDX-License-Identifier: MIT
#include "weir/proc/host.h"

#include <algorithm>

#include "weir/base/text.h"

namespace weir::proc {
namespace {

std::unexpected<Error> bad(std::string_view file) {
  return std::unexpected(make_error(ErrorKind::failed, file, "holds what weir does not understand"));
}

/// user nice system idle iowait irq softirq steal; guest time is in user already.
constexpr std::size_t kFields = 8, kIdle = 3, kIoWait = 4;

}  // namespace

Result<CpuTimes> parse_cpu_times(std::string_view proc_stat) {
  CpuTimes times;
  bool seen = false;
  for (const std::string_view line : split(proc_stat, '\n')) {
    if (!line.starts_with("cpu")) continue;
    if (!line.starts_with("cpu ")) {
      ++times.cpus;
      continue;
    }
    const auto fields = words(line.substr(4));
    if (fields.size() < kFields) return bad("/proc/stat");
    for (std::size_t i = 0; i < kFields; ++i) {
      const auto ticks = parse_u64(fields[i]);
      if (!ticks) return bad("/proc/stat");
      times.total += *ticks;
      if (i == kIdle || i == kIoWait) times.idle += *ticks;
    }
    seen = true;
  }
  if (!seen) return bad("/proc/stat");
  return times;
}

std::optional<double> busy_share(const CpuTimes& before, const CpuTimes& after) {
  if (after.total <= before.total) return std::nullopt;
  // The idle counters may go back a little (proc(5)): then nothing was idle.
  const std::uint64_t idle = after.idle > before.idle ? after.idle - before.idle : 0;
  return std::clamp(1.0 - static_cast<double>(idle) / static_cast<double>(after.total - before.total), 0.0,
                    1.0);
}

Result<double> parse_load(std::string_view proc_loadavg) {
  const auto fields = words(proc_loadavg);
  const auto load = fields.empty() ? std::nullopt : parse_decimal(fields[0]);
  if (!load) return bad("/proc/loadavg");
  return *load;
}

}  // namespace weir::proc
