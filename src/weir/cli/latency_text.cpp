// SPDX-License-Identifier: MIT
#include "weir/cli/latency_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/help.h"

namespace weir::cli {
namespace {

using latency::Direction;
using latency::Report;
using latency::Row;
using latency::Stage;

constexpr std::size_t kWide = 110;  // from here on all columns are shown

std::string time(std::uint64_t ns) { return format_duration(std::chrono::nanoseconds(ns)); }

std::string stage_title(const Row& row) {
  const std::string_view knob = latency::raced(row.knob).file;
  switch (row.stage) {
    case Stage::call:
      return fmt::format("{}: until the call returns", knob);
    case Stage::write_entry:
      return fmt::format("{}: until the write reaches the kernel", knob);
    case Stage::handler_done:
      return fmt::format("{}: until the kernel holds the new limit", knob);
    case Stage::first_effect:
      break;
  }
  if (row.direction == Direction::raise)
    return fmt::format("{}: until a raise lets a throttled task run", knob);
  return fmt::format("{}: until a cut {}", knob,
                     row.knob == cgroup::Knob::cpu_max ? "first throttles" : "first reclaims");
}

std::string heading(const Row& row, bool wide) {
  return fmt::format("{} ({})\n{:<26}{:>6}{}{:>9}{:>9}{:>9}{}{:>9}{:>11}\n", stage_title(row),
                     terminal_safe(row.hook), "", "n", wide ? fmt::format("{:>9}{:>9}", "min", "mean") : "",
                     "p50", "p90", "p99", wide ? fmt::format("{:>9}", "p99.9") : "", "max", "faster");
}

std::string line(const Report& report, const Row& row, bool wide) {
  const latency::Summary& s = row.summary;
  const std::string ratio = latency::ratio_text(report, row);
  return fmt::format("{:<26}{:>6}{}{:>9}{:>9}{:>9}{}{:>9}{}\n", latency::info(row.method).title, s.n,
                     wide ? fmt::format("{:>9}{:>9}", time(s.min_ns), time(s.mean_ns)) : "", time(s.p50_ns),
                     time(s.p90_ns), time(s.p99_ns), wide ? fmt::format("{:>9}", time(s.p999_ns)) : "",
                     time(s.max_ns), ratio.empty() ? "" : fmt::format("{:>11}", ratio));
}

std::string tables(const Report& report, std::size_t columns) {
  const bool wide = columns >= kWide;
  std::string text;
  const Row* before = nullptr;
  const auto finish = [&] {
    if (before != nullptr && before->stage == Stage::call)
      for (const std::string& each :
           latency::histogram(report, before->knob, Stage::call, Direction::any, columns))
        text += each + "\n";
  };
  for (const Row& row : report.rows) {
    const bool same = before != nullptr && before->knob == row.knob && before->stage == row.stage &&
                      before->direction == row.direction;
    if (!same) {
      finish();
      text += (before == nullptr ? "" : "\n") + heading(row, wide);
    }
    text += line(report, row, wide);
    before = &row;
  }
  finish();
  return text;
}

/// For each reason, the knobs and stages that it holds for, each with its methods.
std::string not_timed(const Report& report, std::size_t columns) {
  std::map<std::pair<std::string, std::string>, std::string> methods;
  for (const latency::Unsupported& no : report.unsupported) {
    const std::string what = fmt::format("{}{}{}", latency::raced(no.knob).file, no.stage ? " " : "",
                                         no.stage ? to_string(*no.stage) : "");
    std::string& list = methods[{no.reason, what}];
    list += fmt::format("{}{}", list.empty() ? "" : ", ", latency::info(no.method).name);
  }
  std::string text;
  std::string_view before;
  for (const auto& [key, list] : methods) {
    const auto& [reason, what] = key;
    if (reason != before) text += "  " + wrap(terminal_safe(reason), columns, 2) + "\n";
    before = reason;
    text += "    " + wrap(fmt::format("{}: {}", what, list), columns, 4) + "\n";
  }
  return text.empty() ? text : "\nNot timed:\n" + text;
}

std::string missed(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) {
    if (row.missed == 0) continue;
    text += fmt::format("  {} {} {}{}: not seen at {} of {} writes\n", latency::raced(row.knob).file,
                        latency::info(row.method).name, to_string(row.stage),
                        row.direction == Direction::any ? "" : fmt::format(" ({})", to_string(row.direction)),
                        row.missed, row.missed + row.summary.n);
  }
  return text.empty() ? text : "\nSeen at some writes only:\n" + text;
}

std::string setting(const Report& report) {
  const latency::Setting& s = report.setting;
  const auto also = [](std::string_view before, const std::string& text) {
    return text.empty() ? std::string() : fmt::format("{}{}", before, terminal_safe(text));
  };
  return fmt::format("{} on {} CPUs{}{}{}, load {}, seed {}{}{}\n", terminal_safe(s.kernel), s.cpus,
                     also(", ", s.machine), also(", Docker ", s.docker_version),
                     also(" with cgroup driver ", s.cgroup_driver), s.load, s.plan.seed,
                     s.quick ? "; a quick run: few iterations, wide intervals" : "",
                     report.complete ? "" : "; ended early: what was timed until then");
}

}  // namespace

std::string latency_text(const Report& report, std::size_t columns) {
  std::string text = wrap(setting(report), columns, 0) + "\n";
  text += "\n" + tables(report, columns) + missed(report) + not_timed(report, columns);
  if (report.lost_events > 0 || report.failed_writes > 0)
    text += fmt::format("\n{} kernel events were lost, {} writes failed.\n", report.lost_events,
                        report.failed_writes);
  const auto lines = latency::averages(report);
  if (!lines.empty()) text += "\n";
  for (const std::string& each : lines) text += each + "\n";
  return text;
}

}  // namespace weir::cli
