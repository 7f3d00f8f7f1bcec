// SPDX-License-Identifier: MIT
#include "weir/cgroup/reading.h"

#include <algorithm>

#include "weir/base/text.h"
#include "weir/cgroup/tighter.h"

namespace weir::cgroup {
namespace {

/// The text parsed, or nullopt where the file is not there, may not be read, or holds what we do not
/// understand.
template <typename Parse>
auto read_optional(const Dir& dir, std::string_view file, const Parse& parse)
    -> std::optional<typename decltype(parse(""))::value_type> {
  const auto text = dir.read(file);
  if (!text) return std::nullopt;
  auto value = parse(*text);
  if (!value) return std::nullopt;
  return std::move(*value);
}

Result<std::uint64_t> parse_count(std::string_view text) {
  const auto number = parse_u64(trim(text));
  if (!number) return std::unexpected(make_error(ErrorKind::failed, "", "is no number"));
  return *number;
}

Result<Limit<Pids>> parse_pids_max(std::string_view text) {
  if (trim(text) == "max") return Limit<Pids>::unlimited();
  WEIR_TRY(const std::uint64_t count, parse_count(text));
  return Limit(Pids(count));
}

Result<Weight> parse_weight(std::string_view text) {
  WEIR_TRY(const std::uint64_t weight, parse_count(text));
  return Weight(static_cast<std::uint32_t>(std::min<std::uint64_t>(weight, 10'000)));
}

/// What holds at `path`: its own limit where it is at least as tight as what holds above.
template <typename T>
std::optional<Effective<T>> held(const std::optional<T>& own, const std::optional<Effective<T>>& above,
                                 std::string_view path) {
  if (!own) return above;
  const bool above_is_tighter = above && tighter(above->value, *own);
  if (above_is_tighter) return above;
  return Effective<T>{*own, is_unlimited(*own) ? std::string() : std::string(path)};
}

HeldLimits held_limits(const Limits& own, const HeldLimits& above, std::string_view path) {
  return HeldLimits{.cpu_max = held(own.cpu_max, above.cpu_max, path),
                    .memory_high = held(own.memory_high, above.memory_high, path),
                    .memory_max = held(own.memory_max, above.memory_max, path),
                    .memory_swap_max = held(own.memory_swap_max, above.memory_swap_max, path),
                    .pids_max = held(own.pids_max, above.pids_max, path)};
}

template <typename Controllers>
Limits read_limits(const Dir& dir, const Controllers& on) {
  Limits limits;
  if (on.cpu) {
    limits.cpu_max = read_optional(dir, "cpu.max", parse_cpu_max);
    limits.cpu_weight = read_optional(dir, "cpu.weight", parse_weight);
  }
  if (on.memory) {
    limits.memory_high = read_optional(dir, "memory.high", parse_limit_bytes);
    limits.memory_max = read_optional(dir, "memory.max", parse_limit_bytes);
    limits.memory_swap_max = read_optional(dir, "memory.swap.max", parse_limit_bytes);
  }
  if (on.pids) limits.pids_max = read_optional(dir, "pids.max", parse_pids_max);
  return limits;
}

}  // namespace

const Reader::Level& Reader::level(std::string_view path) {
  if (const auto known = levels_.find(path); known != levels_.end()) return known->second;
  Level level;
  const auto describe = [&](const Dir& dir) {
    const std::string on = dir.read("cgroup.subtree_control").value_or("");
    for (const std::string_view name : words(on)) {
      if (name == "cpu") level.for_children.cpu = true;
      if (name == "memory") level.for_children.memory = true;
      if (name == "pids") level.for_children.pids = true;
    }
  };
  if (path.size() <= 1) {
    describe(root_);
  } else {
    const Level& above = parent_level(path);
    level.cpu_group = above.for_children.cpu ? std::string(path) : above.cpu_group;
    level.held = above.held;
    // A level that cannot be opened (it ended) passes on what holds above it.
    if (const auto dir = open_path(root_, path)) {
      describe(**dir);
      level.held = held_limits(read_limits(**dir, above.for_children), above.held, path);
    }
  }
  return levels_.emplace(path, std::move(level)).first->second;
}

const Reader::Level& Reader::parent_level(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return level(slash == 0 || slash == std::string_view::npos ? std::string_view("/") : path.substr(0, slash));
}

std::optional<Micros> Reader::read_throttled(const Dir& dir, const Level& above) const {
  const auto of = [](const Dir& group) {
    return read_optional(group, "cpu.stat.local", parse_cpu_stat_local).value_or(CpuStatLocal{}).throttled;
  };
  if (above.for_children.cpu) return of(dir);
  if (above.cpu_group.empty()) return std::nullopt;
  const auto group = open_path(root_, above.cpu_group);
  return group ? of(**group) : std::nullopt;
}

Result<Reading> Reader::read(std::string_view path) {
  WEIR_TRY(const auto dir, open_path(root_, path));
  const Level& above = parent_level(path);
  const Controllers& on = above.for_children;
  Reading reading{.id = dir->id(), .limits = read_limits(*dir, on), .held = {}, .usage = {}, .pressures = {}};
  reading.held = held_limits(reading.limits, above.held, path);
  Usage& usage = reading.usage;
  usage.cpu = read_optional(*dir, "cpu.stat", parse_cpu_stat).value_or(CpuStat{});
  usage.throttled_local = read_throttled(*dir, above);
  if (on.memory) {
    if (const auto bytes = read_optional(*dir, "memory.current", parse_count)) usage.memory = Bytes(*bytes);
    usage.memory_events = read_optional(*dir, "memory.events", parse_memory_events).value_or(MemoryEvents{});
  }
  if (on.pids) usage.pids = read_optional(*dir, "pids.current", parse_count);
  reading.pressures = {.cpu = read_optional(*dir, "cpu.pressure", parse_pressure).value_or(Pressure{}),
                       .memory = read_optional(*dir, "memory.pressure", parse_pressure).value_or(Pressure{}),
                       .io = read_optional(*dir, "io.pressure", parse_pressure).value_or(Pressure{})};
  if (!usage.cpu.usage && !dir->alive())
    return std::unexpected(make_error(ErrorKind::gone, path, "the cgroup ended while it was read"));
  return reading;
}

Result<Reader::CpuReading> Reader::read_cpu(std::string_view path) {
  WEIR_TRY(const auto dir, open_path(root_, path));
  CpuReading reading{.id = dir->id(), .cpu = {}, .throttled_local = {}};
  WEIR_TRY(const std::string text, dir->read("cpu.stat"));
  WEIR_TRY(reading.cpu, parse_cpu_stat(text));
  reading.throttled_local = read_throttled(*dir, parent_level(path));
  return reading;
}

}  // namespace weir::cgroup
