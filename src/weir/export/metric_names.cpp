// SPDX-License-Identifier: MIT
#include "weir/export/metric_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::exports {
namespace {

using enum Of;

constexpr std::string_view kMemoryEvents = "memory_events_total", kRefaults = "memory_refaults_total",
                           kPressure = "pressure_seconds_total";

constexpr std::array<SeriesName, kMetrics> kSeries = {{
    {Metric::cpu_usage, "cpu_usage_seconds_total", "", both, "CPU time used."},
    {Metric::cpu_user, "cpu_user_seconds_total", "", both, "CPU time used in user space."},
    {Metric::cpu_system, "cpu_system_seconds_total", "", both, "CPU time used in the kernel."},
    {Metric::cpu_periods, "cpu_periods_total", "", containers,
     "Enforcement periods of cpu.max in which it ran."},
    {Metric::cpu_throttled_periods, "cpu_throttled_periods_total", "", containers,
     "Enforcement periods of cpu.max in which it was throttled."},
    {Metric::cpu_throttled, "cpu_throttled_seconds_total", "", containers,
     "Time its run queues were throttled by its own cpu.max, all CPUs added up."},
    {Metric::cpu_throttled_local, "cpu_throttled_local_seconds_total", "", containers,
     "Time its run queues were throttled by its own cpu.max or an ancestor's, all CPUs added up."},
    {Metric::cpu_steal, "cpu_steal_seconds_total", "", host, "CPU time taken by the hypervisor."},
    {Metric::cpu_limit, "cpu_limit_cores", "", both,
     "CPU time it may use in a second: the tightest cpu.max of it and its ancestors; +Inf: none.", "cpus",
     "CPUs that are online."},
    {Metric::memory_current, "memory_usage_bytes", "", both, "Memory in use, page cache included.", "",
     "Memory in use: all of it less what is available."},
    {Metric::memory_anon, "memory_anon_bytes", "", containers, "Anonymous memory in use."},
    {Metric::memory_file, "memory_file_bytes", "", containers, "Page cache in use."},
    {Metric::memory_peak, "memory_peak_bytes", "", containers, "Most memory that was ever in use."},
    {Metric::memory_high_limit, "memory_high_limit_bytes", "", containers,
     "Memory over which it is held back: the tightest memory.high of it and its ancestors; +Inf: none."},
    {Metric::memory_max_limit, "memory_limit_bytes", "", both,
     "Memory over which it is killed: the tightest memory.max of it and its ancestors; +Inf: none.",
     "memory_total_bytes", "Memory of the host."},
    {Metric::memory_low, kMemoryEvents, R"(event="low")", both,
     "Events of memory.events: reclaimed below memory.low, over memory.high, at memory.max, allocations "
     "about to fail (oom), processes killed (oom_kill).",
     "", "Processes killed for want of memory (oom_kill)."},
    {Metric::memory_high, kMemoryEvents, R"(event="high")", both, ""},
    {Metric::memory_max, kMemoryEvents, R"(event="max")", both, ""},
    {Metric::memory_oom, kMemoryEvents, R"(event="oom")", both, ""},
    {Metric::memory_oom_kill, kMemoryEvents, R"(event="oom_kill")", both, ""},
    {Metric::memory_refault_anon, kRefaults, R"(type="anon")", both,
     "Pages that came back soon after they were reclaimed: swapped in (anon), read again (file)."},
    {Metric::memory_refault_file, kRefaults, R"(type="file")", both, ""},
    {Metric::io_rbytes, "io_read_bytes_total", "", both, "Read from devices."},
    {Metric::io_wbytes, "io_written_bytes_total", "", both, "Written to devices."},
    {Metric::io_rios, "io_reads_total", "", both, "Reads of devices."},
    {Metric::io_wios, "io_writes_total", "", both, "Writes to devices."},
    {Metric::pids_current, "pids", "", containers, "Processes and threads."},
    {Metric::populated, "populated", "", containers, "1: processes live in it."},
    {Metric::frozen, "frozen", "", containers, "1: it is frozen."},
    {Metric::cpu_some, kPressure, R"(resource="cpu",kind="some")", both,
     "Time in which some or all (full) of its tasks waited for a resource (pressure stall information).", "",
     "Time in which some or all (full) tasks waited for a resource (pressure stall information)."},
    {Metric::cpu_full, kPressure, R"(resource="cpu",kind="full")", both, ""},
    {Metric::memory_some, kPressure, R"(resource="memory",kind="some")", both, ""},
    {Metric::memory_full, kPressure, R"(resource="memory",kind="full")", both, ""},
    {Metric::io_some, kPressure, R"(resource="io",kind="some")", both, ""},
    {Metric::io_full, kPressure, R"(resource="io",kind="full")", both, ""},
}};

constexpr bool each_once() {
  std::array<int, kMetrics> seen{};
  for (const SeriesName& series : kSeries) ++seen[index(series.metric)];
  return std::ranges::all_of(seen, [](int count) { return count == 1; });
}
static_assert(each_once(), "every metric of a frame has a name outside, and only one");

constexpr bool together() {
  for (std::size_t n = 0; n < kMetrics; ++n)
    for (std::size_t later = n + 1; later < kMetrics; ++later)
      if (kSeries[later].name == kSeries[n].name && kSeries[later - 1].name != kSeries[n].name) return false;
  return true;
}
static_assert(together(), "the series of a family stand together");

}  // namespace

const std::array<SeriesName, kMetrics>& series_names() { return kSeries; }

bool is_of(const SeriesName& first, Scope scope) {
  return first.of == both || (first.of == Of::host) == (scope == Scope::host);
}

std::string family_name(const SeriesName& series, Scope scope) {
  if (scope == Scope::container) return fmt::format("weir_container_{}", series.name);
  return fmt::format("weir_host_{}", series.host_name.empty() ? series.name : series.host_name);
}

std::vector<Family> families(Scope scope) {
  std::vector<Family> all;
  std::string_view last;
  for (const SeriesName& series : kSeries) {
    if (series.name == last) continue;
    last = series.name;
    if (!is_of(series, scope)) continue;
    const std::string_view help =
        scope == Scope::host && !series.host_help.empty() ? series.host_help : series.help;
    all.push_back({family_name(series, scope), info(series.metric).kind, std::string(help)});
  }
  return all;
}

std::vector<Family> own_families() {
  using enum MetricKind;
  return {
      {"weir_build_info", gauge, "1, with the version of Weir."},
      {"weir_frame_timestamp_seconds", gauge, "When these numbers were read, since the Unix epoch."},
      {"weir_containers", gauge, "Containers and services that these metrics are of, by runtime."},
      {"weir_sampler_frames_total", counter,
       "Frames read by the process that samples (another one begins at 0)."},
      {"weir_sampler_role", gauge,
       "1: whether this process samples, is attached to one that does, or is alone."},
      {"weir_sampler_unreadable_files", gauge,
       "Files of the last frame that could not be read; not told by a process that is attached."},
      {"weir_events_total", counter, "Events told since the start."},
      {"weir_events_lost_total", counter, "Events that an output could not take."},
  };
}

}  // namespace weir::exports
