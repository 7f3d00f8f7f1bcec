// SPDX-License-Identifier: MIT
#include "weir/latency/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "weir/base/text.h"

namespace weir::latency {
namespace {

using cgroup::Knob;

constexpr std::array kStages{Stage::call, Stage::write_entry, Stage::handler_done, Stage::first_effect};
constexpr std::array kDirections{Direction::any, Direction::cut, Direction::raise};

/// The calls tell the first three stages, the courses of effects the last one.
Part part_of(Stage stage) { return stage == Stage::first_effect ? Part::effect : Part::calls; }

std::string hook_name(Stage stage, Direction direction, Knob knob, const bpf::LimitWriteHooks& hooks) {
  switch (stage) {
    case Stage::call:
      return "clock_gettime around the call";
    case Stage::write_entry:
      return hooks.entry.name;
    case Stage::handler_done:
      return hooks.handler.name;
    case Stage::first_effect:
      break;
  }
  if (knob == Knob::cpu_max) return direction == Direction::raise ? hooks.ran.name : hooks.throttled.name;
  return hooks.reclaim.watched() ? hooks.reclaim.name : std::string(kPolledUsage);
}

/// Each row draws from its own sequence, so that an added row does not change the others' intervals.
Random row_random(std::uint64_t seed, const Row& row) {
  const auto mix = static_cast<std::uint64_t>(row.method) | static_cast<std::uint64_t>(row.knob) << 8U |
                   static_cast<std::uint64_t>(row.stage) << 16U |
                   static_cast<std::uint64_t>(row.direction) << 24U;
  return Random(seed ^ (mix + 1) * 0x9E3779B97F4A7C15U);
}

std::optional<Row> make_row(const Outcome& outcome, const bpf::LimitWriteHooks& hooks, std::uint64_t seed,
                            Row row) {
  std::uint64_t counted = 0;
  for (const Sample& sample : outcome.samples) {
    if (sample.method != row.method || sample.knob != row.knob || sample.part != part_of(row.stage) ||
        sample.direction != row.direction)
      continue;
    ++counted;
    if (const auto& time = at(sample.times, row.stage)) row.sorted_ns.push_back(*time);
  }
  std::ranges::sort(row.sorted_ns);
  row.missed = counted - row.sorted_ns.size();
  Random random = row_random(seed, row);
  const auto summary = summarize(row.sorted_ns, random);
  if (!summary) return std::nullopt;
  row.summary = *summary;
  row.hook = hook_name(row.stage, row.direction, row.knob, hooks);
  return row;
}

void add_ratios(Report& report) {
  for (const Row& row : report.rows) {
    const Row* base = find_row(report, Method::docker_cli, row.knob, row.stage, row.direction);
    if (base == nullptr || row.summary.p50_ns == 0) continue;
    report.ratios.push_back(
        {.method = row.method,
         .knob = row.knob,
         .stage = row.stage,
         .direction = row.direction,
         .p50 = static_cast<double>(base->summary.p50_ns) / static_cast<double>(row.summary.p50_ns)});
  }
}

/// Stages that should have been seen, and never were: with a hook, but without an event.
void add_unseen(Report& report, const Outcome& outcome) {
  for (const Combination& each : report.setting.plan.combinations) {
    for (const Stage stage : kStages) {
      const bool said = std::ranges::any_of(report.unsupported, [&](const Unsupported& no) {
        return no.method == each.method && no.knob == each.knob && (!no.stage || *no.stage == stage);
      });
      if (said) continue;
      for (const Direction direction : kDirections) {
        const bool ran = std::ranges::any_of(outcome.samples, [&](const Sample& sample) {
          return sample.method == each.method && sample.knob == each.knob && sample.part == part_of(stage) &&
                 sample.direction == direction;
        });
        if (!ran || find_row(report, each.method, each.knob, stage, direction) != nullptr) continue;
        report.unsupported.push_back(
            {each.method, each.knob, stage,
             fmt::format("{}not seen at any write",
                         direction == Direction::any ? "" : fmt::format("{}: ", to_string(direction)))});
      }
    }
  }
}

}  // namespace

Report make_report(Setting setting, const Outcome& outcome) {
  Report report{.setting = std::move(setting),
                .unsupported = outcome.unsupported,
                .lost_events = outcome.lost_events,
                .failed_writes = outcome.failed_writes,
                .complete = !outcome.interrupted && !outcome.stopped};
  for (const KnobInfo& knob : raced_knobs()) {
    bpf::LimitWriteHooks hooks;
    for (const KnobHooks& each : outcome.hooks)
      if (each.knob == knob.knob) hooks = each.hooks;
    for (const Stage stage : kStages)
      for (const Direction direction : kDirections)
        for (const MethodInfo& method : methods())
          if (auto row = make_row(
                  outcome, hooks, report.setting.plan.seed,
                  {.method = method.method, .knob = knob.knob, .stage = stage, .direction = direction}))
            report.rows.push_back(std::move(*row));
  }
  add_ratios(report);
  add_unseen(report, outcome);
  return report;
}

std::string ratio_text(const Report& report, const Row& row) {
  const auto ratio = std::ranges::find_if(report.ratios, [&](const Ratio& each) {
    return each.method == row.method && each.knob == row.knob && each.stage == row.stage &&
           each.direction == row.direction;
  });
  if (ratio == report.ratios.end()) return {};
  if (ratio->p50 < 10) return fmt::format("{:.2f}x", ratio->p50);
  std::string digits = fmt::format("{:.0f}", ratio->p50);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits + "x";
}

LogScale common_scale(const std::vector<const Row*>& rows) {
  std::uint64_t least = UINT64_MAX;
  std::uint64_t most = 1;
  for (const Row* row : rows) {
    least = std::min(least, row->sorted_ns.front());
    most = std::max(most, row->sorted_ns.back());
  }
  return {least, most};
}

const Row* find_row(const Report& report, Method method, Knob knob, Stage stage, Direction direction) {
  const auto found = std::ranges::find_if(report.rows, [&](const Row& row) {
    return row.method == method && row.knob == knob && row.stage == stage && row.direction == direction;
  });
  return found == report.rows.end() ? nullptr : &*found;
}

std::vector<std::string> averages(const Report& report) {
  std::vector<std::string> lines;
  for (const Knob knob : {Knob::memory_max, Knob::cpu_max}) {
    for (const Method method : {Method::docker_cli, Method::pwrite}) {
      const Row* row = find_row(report, method, knob, Stage::call);
      if (row == nullptr) continue;
      lines.push_back(fmt::format("Average {} latency via {}: {}", raced(knob).file, info(method).title,
                                  format_duration(std::chrono::nanoseconds(row->summary.mean_ns))));
    }
  }
  return lines;
}

}  // namespace weir::latency
