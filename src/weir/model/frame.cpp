// SPDX-License-Identifier: MIT
#include "weir/model/frame.h"

#include <algorithm>

namespace weir {
namespace {

using enum MetricKind;
using enum MetricUnit;

constexpr std::array<std::string_view, kSources> kFiles = {
    "cpu.stat",    "cpu.stat.local", "memory.current", "memory.events",   "memory.stat",
    "memory.peak", "io.stat",        "pids.current",   "cgroup.events",   "cpu.max",
    "memory.high", "memory.max",     "cpu.pressure",   "memory.pressure", "io.pressure"};
constexpr std::array<std::string_view, kSources> kHostFiles = {
    "stat", "", "meminfo", "vmstat",       "vmstat",          "",           "", "", "",
    "",     "", "meminfo", "pressure/cpu", "pressure/memory", "pressure/io"};

constexpr std::array<MetricInfo, kMetrics> kTable = {{
    {Metric::cpu_usage, Source::cpu_stat, "cpu_usage_usec", "usage_usec", counter, usec, "CPU time used"},
    {Metric::cpu_user, Source::cpu_stat, "cpu_user_usec", "user_usec", counter, usec, "of it in user space"},
    {Metric::cpu_system, Source::cpu_stat, "cpu_system_usec", "system_usec", counter, usec,
     "of it in the kernel"},
    {Metric::cpu_periods, Source::cpu_stat, "cpu_periods", "nr_periods", counter, count,
     "enforcement periods of cpu.max"},
    {Metric::cpu_throttled_periods, Source::cpu_stat, "cpu_throttled_periods", "nr_throttled", counter, count,
     "periods in which it was throttled"},
    {Metric::cpu_throttled, Source::cpu_stat, "cpu_throttled_usec", "throttled_usec", counter, usec,
     "run queue time throttled by its own cpu.max"},
    {Metric::cpu_steal, Source::cpu_stat, "cpu_steal_usec", "steal", counter, usec,
     "taken from this host by its hypervisor (host only)"},
    {Metric::cpu_throttled_local, Source::cpu_stat_local, "cpu_throttled_local_usec", "throttled_usec",
     counter, usec, "run queue time throttled by its own limit or an ancestor's"},
    {Metric::memory_current, Source::memory_current, "memory_bytes", "", gauge, bytes, "memory in use"},
    {Metric::memory_low, Source::memory_events, "memory_low_events", "low", counter, count,
     "reclaimed below memory.low"},
    {Metric::memory_high, Source::memory_events, "memory_high_events", "high", counter, count,
     "times over memory.high"},
    {Metric::memory_max, Source::memory_events, "memory_max_events", "max", counter, count,
     "times at memory.max"},
    {Metric::memory_oom, Source::memory_events, "memory_oom_events", "oom", counter, count,
     "allocations that were about to fail"},
    {Metric::memory_oom_kill, Source::memory_events, "memory_oom_kills", "oom_kill", counter, count,
     "processes killed for want of memory"},
    {Metric::memory_anon, Source::memory_stat, "memory_anon_bytes", "anon", gauge, bytes, "anonymous memory"},
    {Metric::memory_file, Source::memory_stat, "memory_file_bytes", "file", gauge, bytes, "page cache"},
    {Metric::memory_refault_anon, Source::memory_stat, "memory_refaults_anon", "workingset_refault_anon",
     counter, count, "pages swapped in soon after they were swapped out"},
    {Metric::memory_refault_file, Source::memory_stat, "memory_refaults_file", "workingset_refault_file",
     counter, count, "pages read again soon after they were reclaimed"},
    {Metric::memory_peak, Source::memory_peak, "memory_peak_bytes", "", gauge, bytes,
     "most memory ever in use"},
    {Metric::io_rbytes, Source::io_stat, "io_read_bytes", "rbytes", counter, bytes, "read from devices"},
    {Metric::io_wbytes, Source::io_stat, "io_written_bytes", "wbytes", counter, bytes, "written to devices"},
    {Metric::io_rios, Source::io_stat, "io_reads", "rios", counter, count, "reads of devices"},
    {Metric::io_wios, Source::io_stat, "io_writes", "wios", counter, count, "writes to devices"},
    {Metric::pids_current, Source::pids_current, "pids", "", gauge, count, "processes and threads"},
    {Metric::populated, Source::cgroup_events, "populated", "populated", gauge, count,
     "1: processes live in it"},
    {Metric::frozen, Source::cgroup_events, "frozen", "frozen", gauge, count, "1: it is frozen"},
    {Metric::cpu_limit, Source::cpu_max, "cpu_limit_usec", "", gauge, usec,
     "CPU time that it may use in a second; of the host: its CPUs"},
    {Metric::memory_high_limit, Source::memory_high, "memory_high_bytes", "", gauge, bytes,
     "memory over which it is held back"},
    {Metric::memory_max_limit, Source::memory_max, "memory_max_bytes", "", gauge, bytes,
     "memory over which it is killed; of the host: its memory"},
    {Metric::cpu_some, Source::cpu_pressure, "cpu_some_usec", "some", counter, usec,
     "some task waited for a CPU"},
    {Metric::cpu_full, Source::cpu_pressure, "cpu_full_usec", "full", counter, usec,
     "all tasks waited for a CPU"},
    {Metric::memory_some, Source::memory_pressure, "memory_some_usec", "some", counter, usec,
     "some task waited for memory"},
    {Metric::memory_full, Source::memory_pressure, "memory_full_usec", "full", counter, usec,
     "all tasks waited for memory"},
    {Metric::io_some, Source::io_pressure, "io_some_usec", "some", counter, usec, "some task waited for IO"},
    {Metric::io_full, Source::io_pressure, "io_full_usec", "full", counter, usec, "all tasks waited for IO"},
}};

constexpr bool in_order() {
  for (std::size_t n = 0; n < kMetrics; ++n)
    if (index(kTable[n].metric) != n || (n > 0 && kTable[n].source < kTable[n - 1].source)) return false;
  return true;
}
static_assert(in_order(), "a metric is its own index, and those of one file stand together");

struct Span {
  std::size_t begin = 0, count = 0;
};
constexpr std::array<Span, kSources> kOf = [] {
  std::array<Span, kSources> spans{};
  for (std::size_t n = 0; n < kMetrics; ++n) {
    Span& span = spans[index(kTable[n].source)];
    if (span.count++ == 0) span.begin = n;
  }
  return spans;
}();

}  // namespace

std::string_view file_of(Source source) { return kFiles[index(source)]; }
std::string_view host_file_of(Source source) { return kHostFiles[index(source)]; }
std::span<const MetricInfo, kMetrics> metrics() { return kTable; }
const MetricInfo& info(Metric metric) { return kTable[index(metric)]; }
std::span<const MetricInfo> metrics_of(Source source) {
  const Span span = kOf[index(source)];
  return std::span(kTable).subspan(span.begin, span.count);
}

std::string_view to_string(Known known) {
  switch (known) {
    case Known::unsupported:
      return "unsupported";
    case Known::not_counted:
      return "not counted";
    case Known::zero:
      return "zero";
    case Known::measured:
      return "measured";
  }
  return "?";
}

std::optional<double> rate(const Sample& before, const Sample& after, Metric metric) {
  const auto from = before.get(metric), to = after.get(metric);
  const std::size_t source = index(info(metric).source);
  const std::int64_t span = after.read_at[source] - before.read_at[source];
  if (!from || !to || *to < *from || span <= 0) return std::nullopt;
  return static_cast<double>(*to - *from) * 1e9 / static_cast<double>(span);
}

void take_newer(Sample& known, const Sample& now) {
  for (std::size_t source = 0; source < kSources; ++source) {
    if (now.read_at[source] <= known.read_at[source]) continue;
    known.read_at[source] = now.read_at[source];
    const auto [begin, count] = kOf[source];
    for (std::size_t n = begin; n < begin + count; ++n) {
      known.values[n] = now.values[n];
      known.known[n] = now.known[n];
    }
  }
}

const Sample* Frame::find(CgroupId cgroup) const {
  const auto found = std::ranges::find(subjects, cgroup, &Subject::cgroup_id);
  return found == subjects.end() ? nullptr : &samples[static_cast<std::size_t>(found - subjects.begin())];
}

}  // namespace weir
