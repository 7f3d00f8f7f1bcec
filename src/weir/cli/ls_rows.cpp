// SPDX-License-Identifier: MIT
#include "weir/cli/ls_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace weir::cli {
namespace {

using cgroup::Micros;

constexpr double kNoticeable = 1.0;  ///< percent; less is noise
constexpr double kContended = 5.0;   ///< percent of CPU pressure beside throttling; any busy host has some
constexpr double kNearLimit = 0.9;   ///< of a memory limit

/// Growth of a counter; nullopt where one side was not counted or it went back (the controller was off
/// meanwhile).
template <typename T>
std::optional<T> growth(const std::optional<T>& before, const std::optional<T>& after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

std::optional<double> share(const std::optional<Micros>& part, std::chrono::nanoseconds whole) {
  if (!part || whole.count() <= 0) return std::nullopt;
  return std::chrono::duration<double>(*part) / std::chrono::duration<double>(whole);
}

std::optional<double> ratio(const std::optional<std::uint64_t>& part,
                            const std::optional<std::uint64_t>& whole) {
  if (!part || !whole) return std::nullopt;
  return *whole == 0 ? 0.0 : static_cast<double>(*part) / static_cast<double>(*whole);
}

double some_avg10(const cgroup::Pressure& pressure) { return pressure.some ? pressure.some->avg10 : 0; }

void add_rates(Row& row, const Snapshot& snapshot) {
  const cgroup::Usage& first = snapshot.reading.usage;
  if (!snapshot.later) {
    row.throttled_periods = ratio(first.cpu.nr_throttled, first.cpu.nr_periods);
    return;
  }
  const auto& [later, window] = *snapshot.later;
  if (const auto used = share(growth(first.cpu.usage, later.cpu.usage), window))
    row.cpu_percent = *used * 100;
  row.throttled_periods = ratio(growth(first.cpu.nr_throttled, later.cpu.nr_throttled),
                                growth(first.cpu.nr_periods, later.cpu.nr_periods));
  row.throttled_time = share(growth(first.throttled_local, later.throttled_local), window);
  if (!row.throttled_time)
    row.throttled_time = share(growth(first.cpu.throttled, later.cpu.throttled), window);
}

/// The memory limit that the container stands at, if it does: memory.high first, since it comes first.
const std::string* near_memory_limit(const cgroup::Reading& reading) {
  if (!reading.usage.memory) return nullptr;
  const auto used = static_cast<double>(reading.usage.memory->count());
  for (const auto* held : {&reading.held.memory_high, &reading.held.memory_max})
    if (*held && !(*held)->value.is_unlimited() &&
        used >= kNearLimit * static_cast<double>((*held)->value.value().count()))
      return &(*held)->holder;
  return nullptr;
}

void blame(Row& row, Cause cause, double percent, std::string_view holder = {}) {
  if (percent < kNoticeable || percent <= row.suffering) return;
  row.cause = cause;
  row.suffering = percent;
  row.holder = holder;
}

void find_cause(Row& row) {
  const cgroup::Reading& reading = row.reading;
  const double own = row.throttled_periods.value_or(0) * 100;
  // Throttled periods are a share of the time that it wanted to run; what cpu.stat.local counts beyond that
  // is an ancestor's doing, since a child's own counters do not show it.
  blame(row, Cause::own_cpu_limit, std::min(own, 100.0), row.container.cgroup);
  const double all = row.throttled_time.value_or(0) * 100;
  const bool above = reading.held.cpu_max && reading.held.cpu_max->holder != row.container.cgroup;
  if (own < kNoticeable && above)
    blame(row, Cause::ancestor_cpu_limit, std::min(all, 100.0), reading.held.cpu_max->holder);

  // Throttling counts as CPU pressure too; what is left of it is waiting for others.
  const double throttled = row.suffering;
  if (const double waiting = some_avg10(reading.pressures.cpu) - throttled; waiting >= kContended)
    blame(row, Cause::cpu_contention, waiting);
  const double memory = some_avg10(reading.pressures.memory);
  if (const std::string* holder = near_memory_limit(reading))
    blame(row, Cause::memory_limit, memory, *holder);
  else
    blame(row, Cause::memory_pressure, memory);
  blame(row, Cause::io_pressure, some_avg10(reading.pressures.io));
  if (row.cause == Cause::none && reading.usage.memory_events.oom_kill.value_or(0) > 0) {
    row.cause = Cause::oom_kills;
    row.suffering = kNoticeable;
  }
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::none:
      return "none";
    case Cause::own_cpu_limit:
      return "own_cpu_limit";
    case Cause::ancestor_cpu_limit:
      return "ancestor_cpu_limit";
    case Cause::cpu_contention:
      return "cpu_contention";
    case Cause::memory_limit:
      return "memory_limit";
    case Cause::memory_pressure:
      return "memory_pressure";
    case Cause::io_pressure:
      return "io_pressure";
    case Cause::oom_kills:
      return "oom_kills";
  }
  return "none";
}

std::string cause_text(const Row& row) {
  switch (row.cause) {
    case Cause::none:
      return "-";
    case Cause::own_cpu_limit:
      return "own cpu.max";
    case Cause::ancestor_cpu_limit:
      return fmt::format("cpu.max of {}", row.holder.empty() ? "a level above" : row.holder);
    case Cause::cpu_contention:
      return "waits for CPU";
    case Cause::memory_limit:
      if (row.holder.empty()) return "a memory limit";  // whose is not known
      return row.holder == row.container.cgroup ? "own memory limit"
                                                : fmt::format("memory limit of {}", row.holder);
    case Cause::memory_pressure:
      return "host short of memory";
    case Cause::io_pressure:
      return "waits for I/O";
    case Cause::oom_kills:
      return fmt::format("{} oom kills", row.reading.usage.memory_events.oom_kill.value_or(0));
  }
  return "-";
}

std::vector<Row> make_rows(std::vector<Snapshot> snapshots) {
  std::vector<Row> rows;
  rows.reserve(snapshots.size());
  for (Snapshot& snapshot : snapshots) {
    Row row;
    add_rates(row, snapshot);
    row.container = std::move(snapshot.container);
    row.reading = std::move(snapshot.reading);
    find_cause(row);
    rows.push_back(std::move(row));
  }
  const auto since_start = [](const Row& row) {
    return row.reading.usage.cpu.usage.value_or(Micros(0)).count();
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    return std::tuple(-a.suffering, -a.cpu_percent.value_or(0), -since_start(a),
                      std::string_view(a.container.name)) <
           std::tuple(-b.suffering, -b.cpu_percent.value_or(0), -since_start(b),
                      std::string_view(b.container.name));
  });
  return rows;
}

}  // namespace weir::cli
