// SPDX-License-Identifier: MIT
#pragma once
// Report: what a race found, as plain values, and its forms: JSON, CSV, HTML, and lines for a terminal. Pure.

#include <optional>
#include <string>
#include <vector>

#include "weir/latency/plan.h"
#include "weir/latency/race.h"
#include "weir/latency/scale.h"
#include "weir/latency/stats.h"

namespace weir::latency {

/// What was raced, and where.
struct Setting {
  std::string kernel, machine, docker_version, cgroup_driver;  ///< "" where unknown
  std::string subject, cgroup;
  std::string load;
  unsigned cpus = 0;
  PlanOptions plan;
  bool quick = false;
};

struct Row {
  Method method = Method::pwrite;
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  Stage stage = Stage::call;
  Direction direction = Direction::any;
  std::string hook;          ///< where in the kernel (or in this process) the moment is taken
  std::uint64_t missed = 0;  ///< counted writes at which the moment was not seen
  Summary summary;
  std::vector<std::uint64_t> sorted_ns;
};

struct Ratio {
  Method method = Method::pwrite;
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  Stage stage = Stage::call;
  Direction direction = Direction::any;
  Method to = Method::docker_cli;
  double p50 = 0;  ///< how many times faster than `to`: its p50 / this p50
};

struct Report {
  Setting setting;
  std::vector<Row> rows;  ///< by knob, stage, direction, method
  std::vector<Ratio> ratios;
  std::vector<Unsupported> unsupported;
  std::uint64_t lost_events = 0, failed_writes = 0;
  bool complete = true;
};

Report make_report(Setting setting, const Outcome& outcome);

/// How many times faster than `docker update` the median is, "2.03x" or "17,204x"; "" where nothing is there
/// to compare with.
std::string ratio_text(const Report& report, const Row& row);
/// From the fastest to the slowest call of all these rows; each has at least one.
LogScale common_scale(const std::vector<const Row*>& rows);
const Row* find_row(const Report& report, Method method, cgroup::Knob knob, Stage stage,
                    Direction direction = Direction::any);

std::string to_json(const Report& report);
std::string to_csv(const Report& report);
/// One page without anything from outside: distributions on a log scale, tables, light and dark.
std::string to_html(const Report& report);
/// "Average memory.max latency via docker update: 38.1 ms", one line for each of the two knobs and the two
/// ends of the race, of those that were measured.
std::vector<std::string> averages(const Report& report);
/// Distributions of one knob and stage: an axis of decades and one row of blocks for each method. Empty
/// without rows.
std::vector<std::string> histogram(const Report& report, cgroup::Knob knob, Stage stage, Direction direction,
                                   std::size_t columns);

}  // namespace weir::latency
