// SPDX-License-Identifier: MIT
#include "weir/cli/ls_json.h"

namespace weir::cli {
namespace {

using cgroup::CpuMax;
using cgroup::Effective;
using cgroup::Pids;

template <typename T>
Json number(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json micros(const std::optional<cgroup::Micros>& value) {
  return value ? Json(value->count()) : Json(nullptr);
}
Json text(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

/// Limits are in the kernel's own words: "50000 100000", "536870912", "max".
std::string kernel_text(const CpuMax& value) { return cgroup::to_kernel(value); }
std::string kernel_text(const Limit<Bytes>& value) {
  return std::string(cgroup::to_kernel_text(value).view());
}
std::string kernel_text(const Limit<Pids>& value) {
  return value.is_unlimited() ? "max" : std::to_string(value.value().count());
}
std::string kernel_text(const Weight& value) { return std::to_string(value.count()); }

template <typename T>
Json limit(const std::optional<T>& value) {
  return value ? Json(kernel_text(*value)) : Json(nullptr);
}
template <typename T>
Json held(const std::optional<Effective<T>>& value) {
  if (!value) return nullptr;
  return {{"value", kernel_text(value->value)}, {"holder", text(value->holder)}};
}

Json pressure(const cgroup::Pressure& value) {
  const auto line = [](const std::optional<cgroup::PressureLine>& one) -> Json {
    if (!one) return nullptr;
    return {{"avg10", one->avg10},
            {"avg60", one->avg60},
            {"avg300", one->avg300},
            {"total_usec", one->total.count()}};
  };
  return {{"some", line(value.some)}, {"full", line(value.full)}};
}

Json limits(const cgroup::Limits& own) {
  return {{"cpu.max", limit(own.cpu_max)},
          {"cpu.weight", limit(own.cpu_weight)},
          {"memory.high", limit(own.memory_high)},
          {"memory.max", limit(own.memory_max)},
          {"memory.swap.max", limit(own.memory_swap_max)},
          {"pids.max", limit(own.pids_max)}};
}

Json effective(const cgroup::HeldLimits& all) {
  Json cpu = held(all.cpu_max);
  if (all.cpu_max) {
    const auto cpus = all.cpu_max->value.cpus();
    cpu["cpus"] = cpus.is_unlimited() ? Json(nullptr) : Json(cpus.value());
  }
  return {{"cpu.max", std::move(cpu)},
          {"memory.high", held(all.memory_high)},
          {"memory.max", held(all.memory_max)},
          {"memory.swap.max", held(all.memory_swap_max)},
          {"pids.max", held(all.pids_max)}};
}

Json usage(const Row& row) {
  const cgroup::Usage& used = row.reading.usage;
  const cgroup::MemoryEvents& events = used.memory_events;
  return {{"cpu_usec", micros(used.cpu.usage)},
          {"cpu_percent", number(row.cpu_percent)},
          {"nr_periods", number(used.cpu.nr_periods)},
          {"nr_throttled", number(used.cpu.nr_throttled)},
          {"throttled_usec", micros(used.cpu.throttled)},
          {"throttled_local_usec", micros(used.throttled_local)},
          {"throttled_periods_share", number(row.throttled_periods)},
          {"throttled_time_share", number(row.throttled_time)},
          {"memory_bytes", used.memory ? Json(used.memory->count()) : Json(nullptr)},
          {"pids", number(used.pids)},
          {"memory_events",
           {{"low", number(events.low)},
            {"high", number(events.high)},
            {"max", number(events.max)},
            {"oom", number(events.oom)},
            {"oom_kill", number(events.oom_kill)},
            {"oom_group_kill", number(events.oom_group_kill)}}},
          {"pressure",
           {{"cpu", pressure(row.reading.pressures.cpu)},
            {"memory", pressure(row.reading.pressures.memory)},
            {"io", pressure(row.reading.pressures.io)}}}};
}

}  // namespace

Json to_json(const Row& row) {
  const Container& container = row.container;
  return {{"name", container.name},
          {"id", text(container.id)},
          {"runtime", container.runtime == Runtime::none ? Json(nullptr)
                                                         : Json(std::string(to_string(container.runtime)))},
          {"cgroup", container.cgroup},
          {"cgroup_id", row.reading.id.count()},
          {"image", text(container.image)},
          {"limits", limits(row.reading.limits)},
          {"effective", effective(row.reading.held)},
          {"usage", usage(row)},
          {"why",
           {{"cause", std::string(to_string(row.cause))},
            {"holder", text(row.holder)},
            {"suffering", row.suffering}}}};
}

}  // namespace weir::cli
