// SPDX-License-Identifier: MIT
// Frames as the readings that `weir ls` makes its rows of.
#include <optional>

#include "weir/cli/recorded.h"

namespace weir::cli {
namespace {

using cgroup::Micros;
using std::chrono::nanoseconds;

std::optional<Micros> micros(const Sample& sample, Metric metric) {
  const auto value = sample.get(metric);
  if (!value) return std::nullopt;
  return Micros(static_cast<std::int64_t>(*value));
}

cgroup::CpuStat cpu_of(const Sample& sample) {
  return {.usage = micros(sample, Metric::cpu_usage),
          .user = micros(sample, Metric::cpu_user),
          .system = micros(sample, Metric::cpu_system),
          .nr_periods = sample.get(Metric::cpu_periods),
          .nr_throttled = sample.get(Metric::cpu_throttled_periods),
          .throttled = micros(sample, Metric::cpu_throttled)};
}

std::optional<cgroup::Effective<Limit<Bytes>>> memory_limit(const Sample& sample, Metric metric) {
  const auto value = sample.get(metric);
  if (!value) return std::nullopt;
  return cgroup::Effective<Limit<Bytes>>{
      .value = *value == kNoLimit ? Limit<Bytes>::unlimited() : Limit(Bytes(*value)), .holder = {}};
}

/// Frames tell how much it may use in a second, not in which periods: those of 100 ms that are usual.
std::optional<cgroup::Effective<cgroup::CpuMax>> cpu_limit(const Sample& sample, const std::string& cgroup) {
  const auto value = sample.get(Metric::cpu_limit);
  if (!value) return std::nullopt;
  cgroup::CpuMax limit;
  if (*value != kNoLimit) limit.quota = Limit(Micros(static_cast<std::int64_t>(*value / 10)));
  // Periods are counted only where the cgroup has a limit of its own.
  const bool own = sample.get(Metric::cpu_periods).value_or(0) > 0;
  return cgroup::Effective<cgroup::CpuMax>{.value = limit, .holder = own ? cgroup : std::string()};
}

std::optional<cgroup::PressureLine> pressure_line(const history::Moment& moment, const Sample* before,
                                                  const Sample& now, Metric metric) {
  const auto total = now.get(metric);
  if (!total || !moment.before || before == nullptr) return std::nullopt;
  const auto growth = rate(*before, now, metric);
  if (!growth) return std::nullopt;
  const double percent = *growth / 1e4;
  return cgroup::PressureLine{.avg10 = percent,
                              .avg60 = percent,
                              .avg300 = percent,
                              .total = Micros(static_cast<std::int64_t>(*total))};
}

cgroup::Reading reading_of(const history::Moment& moment, const Sample* before, const Sample& now,
                           const Subject& subject) {
  cgroup::Reading reading;
  reading.id = subject.cgroup_id;
  reading.held = {.cpu_max = cpu_limit(now, subject.container.cgroup),
                  .memory_high = memory_limit(now, Metric::memory_high_limit),
                  .memory_max = memory_limit(now, Metric::memory_max_limit),
                  .memory_swap_max = {},
                  .pids_max = {}};
  const Sample& first = before != nullptr ? *before : now;
  reading.usage.cpu = cpu_of(first);
  reading.usage.throttled_local = micros(first, Metric::cpu_throttled_local);
  if (const auto memory = now.get(Metric::memory_current)) reading.usage.memory = Bytes(*memory);
  reading.usage.pids = now.get(Metric::pids_current);
  reading.usage.memory_events = {.low = now.get(Metric::memory_low),
                                 .high = now.get(Metric::memory_high),
                                 .max = now.get(Metric::memory_max),
                                 .oom = now.get(Metric::memory_oom),
                                 .oom_kill = now.get(Metric::memory_oom_kill),
                                 .oom_group_kill = {}};
  const auto line = [&](Metric metric) { return pressure_line(moment, before, now, metric); };
  reading.pressures.cpu = {.some = line(Metric::cpu_some), .full = line(Metric::cpu_full)};
  reading.pressures.memory = {.some = line(Metric::memory_some), .full = line(Metric::memory_full)};
  reading.pressures.io = {.some = line(Metric::io_some), .full = line(Metric::io_full)};
  return reading;
}

}  // namespace

std::vector<Snapshot> snapshots_of(const history::Moment& moment,
                                   const std::vector<container::Target>& targets) {
  std::vector<Snapshot> snapshots;
  for (std::size_t n = 0; n < moment.now.subjects.size(); ++n) {
    const Subject& subject = moment.now.subjects[n];
    if (!is_meant(targets, subject.container)) continue;
    const Sample& now = moment.now.samples[n];
    const Sample* before = moment.before ? moment.before->find(subject.cgroup_id) : nullptr;
    Snapshot snapshot{
        .container = subject.container, .reading = reading_of(moment, before, now, subject), .later = {}};
    constexpr std::size_t kCpu = index(Source::cpu_stat);
    if (before != nullptr && now.read_at[kCpu] > before->read_at[kCpu])
      snapshot.later = Later{.cpu = {.id = subject.cgroup_id,
                                     .cpu = cpu_of(now),
                                     .throttled_local = micros(now, Metric::cpu_throttled_local)},
                             .window = nanoseconds(now.read_at[kCpu] - before->read_at[kCpu])};
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

}  // namespace weir::cli
