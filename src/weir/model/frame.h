// SPDX-License-Identifier: MIT
#pragma once
// Frame: everything that was read about the host and its containers at one time, as plain numbers. One table
// says which metrics there are, from which file each comes, and in which unit; the sampler, the shared board,
// the history and the metrics endpoint all go by it. No I/O.
//
// A number is never invented: beside each value stands whether it was measured, is zero because nothing
// happened yet, is not counted here (the controller is off), or not supported (by this kernel). Each file has
// the time at which it was read.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "weir/base/units.h"
#include "weir/model/container.h"

namespace weir {

/// The files, in the order in which they are read: what changes fastest first. The host's are in /proc.
enum class Source : std::uint8_t {
  cpu_stat,
  cpu_stat_local,
  memory_current,
  memory_events,
  memory_stat,
  memory_peak,
  io_stat,
  pids_current,
  cgroup_events,
  cpu_max,
  memory_high,
  memory_max,
  cpu_pressure,
  memory_pressure,
  io_pressure,
};
inline constexpr std::size_t kSources = 15;
inline constexpr std::size_t index(Source source) { return static_cast<std::size_t>(source); }
/// "cpu.stat"; of the host "stat", below /proc; "" where the host has none.
std::string_view file_of(Source source);
std::string_view host_file_of(Source source);
inline constexpr bool is_pressure(Source source) { return source >= Source::cpu_pressure; }

enum class Metric : std::uint8_t {
  cpu_usage,
  cpu_user,
  cpu_system,
  cpu_periods,
  cpu_throttled_periods,
  cpu_throttled,
  cpu_steal,
  cpu_throttled_local,
  memory_current,
  memory_low,
  memory_high,
  memory_max,
  memory_oom,
  memory_oom_kill,
  memory_anon,
  memory_file,
  memory_refault_anon,
  memory_refault_file,
  memory_peak,
  io_rbytes,
  io_wbytes,
  io_rios,
  io_wios,
  pids_current,
  populated,
  frozen,
  cpu_limit,
  memory_high_limit,
  memory_max_limit,
  cpu_some,
  cpu_full,
  memory_some,
  memory_full,
  io_some,
  io_full,
};
inline constexpr std::size_t kMetrics = 35;
inline constexpr std::size_t index(Metric metric) { return static_cast<std::size_t>(metric); }

/// The value of a limit that is `max`.
inline constexpr std::uint64_t kNoLimit = UINT64_MAX;

enum class MetricKind : std::uint8_t { counter, gauge };
enum class MetricUnit : std::uint8_t { usec, bytes, count };

struct MetricInfo {
  Metric metric;
  Source source;
  std::string_view name;  ///< in JSON: "cpu_usage_usec"
  std::string_view key;   ///< in the file; "" where the file is one number
  MetricKind kind;
  MetricUnit unit;
  std::string_view about;
};
std::span<const MetricInfo, kMetrics> metrics();
const MetricInfo& info(Metric metric);
/// The metrics of one file.
std::span<const MetricInfo> metrics_of(Source source);

enum class Known : std::uint8_t { unsupported, not_counted, zero, measured };
std::string_view to_string(Known known);

/// What one cgroup, or the host, said. Fixed size and layout: it is copied as it is.
struct Sample {
  std::array<std::uint64_t, kMetrics> values{};
  std::array<Known, kMetrics> known{};
  std::array<std::int64_t, kSources> read_at{};  ///< CLOCK_MONOTONIC, ns; 0: never

  /// The value where there is one: measured or zero.
  [[nodiscard]] std::optional<std::uint64_t> get(Metric metric) const {
    if (known[index(metric)] < Known::zero) return std::nullopt;
    return values[index(metric)];
  }
  void set(Metric metric, std::uint64_t value, Known how = Known::measured) {
    values[index(metric)] = value;
    known[index(metric)] = how;
  }
  bool operator==(const Sample&) const = default;
};

/// Growth per second of a counter between two samples; nullopt where either has none, where it was not read
/// again, and where it went back (another cgroup took its place, or the host slept).
std::optional<double> rate(const Sample& before, const Sample& after, Metric metric);

/// Takes over what `now` has of files that it read later. A file that it read earlier stays as it is.
void take_newer(Sample& known, const Sample& now);

struct Subject {
  Container container;
  CgroupId cgroup_id;
  bool operator==(const Subject&) const = default;
};

struct Frame {
  std::uint64_t number = 0;          ///< rises by one from frame to frame of one sampler
  std::chrono::nanoseconds at{0};    ///< CLOCK_MONOTONIC, when the reading began
  std::chrono::nanoseconds time{0};  ///< the same since the Unix epoch
  std::uint64_t generation = 0;      ///< rises when `subjects` are others than before
  Sample host;
  std::vector<Subject> subjects;
  std::vector<Sample> samples;  ///< of the same size and order
  /// The sample of a cgroup; nullptr where it is not in this frame.
  [[nodiscard]] const Sample* find(CgroupId cgroup) const;
};

}  // namespace weir
