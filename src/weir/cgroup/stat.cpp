// SPDX-License-Identifier: MIT
#include "weir/cgroup/stat.h"

#include <fmt/format.h>

#include <span>

#include "weir/base/text.h"

namespace weir::cgroup {
namespace {

using Flat = std::map<std::string, std::uint64_t, std::less<>>;

std::unexpected<Error> bad_line(std::string_view line, std::string_view of) {
  return std::unexpected(
      make_error(ErrorKind::failed, of,
                 fmt::format("has a line '{}' that weir does not understand", line.substr(0, 200))));
}

std::optional<std::uint64_t> count(const Flat& flat, std::string_view key) {
  const auto found = flat.find(key);
  return found == flat.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Micros> micros(const Flat& flat, std::string_view key) {
  const auto value = count(flat, key);
  if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return Micros(*value);
}

/// "avg10=0.12 avg60=0.00 avg300=0.00 total=1234"; keys that are new are passed over.
std::optional<PressureLine> parse_pressure_line(std::string_view keys) {
  PressureLine line;
  int seen = 0;
  for (const std::string_view word : words(keys)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = word.substr(0, equals), text = word.substr(equals + 1);
    double* average = key == "avg10"    ? &line.avg10
                      : key == "avg60"  ? &line.avg60
                      : key == "avg300" ? &line.avg300
                                        : nullptr;
    if (average != nullptr) {
      const auto value = parse_decimal(text);
      if (!value) return std::nullopt;
      *average = *value;
      ++seen;
    } else if (key == "total") {
      const auto value = parse_u64(text);
      if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
      line.total = Micros(*value);
      ++seen;
    }
  }
  if (seen != 4) return std::nullopt;
  return line;
}

}  // namespace

Result<Flat> parse_flat_keyed(std::string_view text) {
  Flat flat;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const std::size_t blank = line.find(' ');
    const auto value =
        blank == std::string_view::npos || blank == 0 ? std::nullopt : parse_u64(line.substr(blank + 1));
    if (!value) return bad_line(line, "a stat file");
    flat.insert_or_assign(std::string(line.substr(0, blank)), *value);
  }
  return flat;
}

Result<CpuStat> parse_cpu_stat(std::string_view text) {
  WEIR_TRY(const Flat flat, parse_flat_keyed(text));
  return CpuStat{.usage = micros(flat, "usage_usec"),
                 .user = micros(flat, "user_usec"),
                 .system = micros(flat, "system_usec"),
                 .nr_periods = count(flat, "nr_periods"),
                 .nr_throttled = count(flat, "nr_throttled"),
                 .throttled = micros(flat, "throttled_usec")};
}

Result<CpuStatLocal> parse_cpu_stat_local(std::string_view text) {
  WEIR_TRY(const Flat flat, parse_flat_keyed(text));
  return CpuStatLocal{.throttled = micros(flat, "throttled_usec")};
}

Result<MemoryEvents> parse_memory_events(std::string_view text) {
  WEIR_TRY(const Flat flat, parse_flat_keyed(text));
  return MemoryEvents{.low = count(flat, "low"),
                      .high = count(flat, "high"),
                      .max = count(flat, "max"),
                      .oom = count(flat, "oom"),
                      .oom_kill = count(flat, "oom_kill"),
                      .oom_group_kill = count(flat, "oom_group_kill")};
}

Result<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    const bool some = line.starts_with("some "), full = line.starts_with("full ");
    const auto parsed = some || full ? parse_pressure_line(line.substr(5)) : std::nullopt;
    if (!parsed) return bad_line(line, "a pressure file");
    (some ? pressure.some : pressure.full) = parsed;
  }
  return pressure;
}

Result<std::map<std::string, IoCounters>> parse_io_stat(std::string_view text) {
  std::map<std::string, IoCounters> devices;
  for (const std::string_view line : split(text, '\n')) {
    const auto fields = words(line);
    if (fields.empty()) continue;
    if (fields[0].find(':') == std::string_view::npos) return bad_line(line, "io.stat");
    IoCounters counters;
    for (const std::string_view field : std::span(fields).subspan(1)) {
      const std::size_t equals = field.find('=');
      if (equals == std::string_view::npos)
        continue;  // "(unknown)" and the like of io controllers under debug
      const std::string_view key = field.substr(0, equals);
      std::uint64_t* slot = key == "rbytes"   ? &counters.rbytes
                            : key == "wbytes" ? &counters.wbytes
                            : key == "rios"   ? &counters.rios
                            : key == "wios"   ? &counters.wios
                                              : nullptr;
      if (slot == nullptr) continue;
      const auto value = parse_u64(field.substr(equals + 1));
      if (!value) return bad_line(line, "io.stat");
      *slot = *value;
    }
    devices.insert_or_assign(std::string(fields[0]), counters);
  }
  return devices;
}

}  // namespace weir::cgroup
