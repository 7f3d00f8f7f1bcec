// SPDX-License-Identifier: MIT
#include "weir/sample/parse.h"

#include <array>
#include <optional>

#include "weir/cgroup/flat.h"

namespace weir::sample {
namespace {

using cgroup::take_number;

constexpr std::size_t kMostKeys = 8;

/// The keys of a flat file, and the first metric of them.
struct Keys {
  std::array<std::string_view, kMostKeys> keys{};
  std::size_t count = 0;
  std::size_t first = 0;
};

const std::array<Keys, kSources>& keys_of_sources() {
  static const std::array<Keys, kSources> all = [] {
    std::array<Keys, kSources> made{};
    for (const MetricInfo& metric : metrics()) {
      Keys& keys = made[index(metric.source)];
      if (keys.count == 0) keys.first = index(metric.metric);
      keys.keys.at(keys.count++) = metric.key;
    }
    return made;
  }();
  return all;
}

void forget(Source source, Sample& out) {
  const Keys& keys = keys_of_sources()[index(source)];
  for (std::size_t n = keys.first; n < keys.first + keys.count; ++n) {
    out.values[n] = 0;
    out.known[n] = Known::not_counted;
  }
}

bool parse_flat(Source source, std::string_view text, Sample& out) {
  const Keys& keys = keys_of_sources()[index(source)];
  return cgroup::scan_flat(text, std::span(keys.keys.data(), keys.count),
                           [&](std::size_t n, std::uint64_t value) {
                             out.values[keys.first + n] = value;
                             out.known[keys.first + n] = Known::measured;
                           });
}

bool parse_one(Source source, std::string_view text, Sample& out) {
  const auto value = take_number(text);
  if (!value || (!text.empty() && text != "\n")) return false;
  const std::size_t metric = keys_of_sources()[index(source)].first;
  out.values[metric] = *value;
  out.known[metric] = Known::measured;
  return true;
}

/// "max" or a number.
std::optional<std::uint64_t> take_limit(std::string_view& text) {
  if (!text.starts_with("max")) return take_number(text);
  text.remove_prefix(3);
  return kNoLimit;
}

bool parse_limit(Source source, std::string_view text, Sample& out) {
  const auto limit = take_limit(text);
  if (!limit || (!text.empty() && text != "\n")) return false;
  const std::size_t metric = keys_of_sources()[index(source)].first;
  out.values[metric] = *limit;
  out.known[metric] = Known::measured;
  return true;
}

/// "QUOTA PERIOD" in usec, as what that allows in a second.
bool parse_cpu_max(std::string_view text, Sample& out) {
  constexpr std::uint64_t kSecond = 1'000'000;
  const auto quota = take_limit(text);
  if (!quota || !text.starts_with(' ')) return false;
  text.remove_prefix(1);
  const auto period = take_number(text);
  if (!period || *period == 0 || (!text.empty() && text != "\n")) return false;
  if (*quota != kNoLimit && *quota > UINT64_MAX / kSecond) return false;
  out.set(Metric::cpu_limit, *quota == kNoLimit ? kNoLimit : *quota * kSecond / *period);
  return true;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

/// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0", the devices added up.
bool parse_io(std::string_view text, Sample& out) {
  const Keys& keys = keys_of_sources()[index(Source::io_stat)];
  for (std::size_t n = 0; n < keys.count; ++n) out.known[keys.first + n] = Known::zero;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::size_t blank = line.find(' ');
    if (line.substr(0, blank).find(':') == std::string_view::npos) return false;
    while (!line.empty()) {
      const std::size_t next = line.find(' ');
      const std::string_view field = line.substr(0, next);
      line.remove_prefix(next == std::string_view::npos ? line.size() : next + 1);
      const std::size_t equals = field.find('=');
      if (equals == std::string_view::npos) continue;  // the device, or a word of a kernel under debug
      for (std::size_t n = 0; n < keys.count; ++n) {
        if (keys.keys[n] != field.substr(0, equals)) continue;
        std::string_view digits = field.substr(equals + 1);
        const auto value = take_number(digits);
        if (!value) return false;
        out.values[keys.first + n] += *value;
        out.known[keys.first + n] = Known::measured;
      }
    }
  }
  return true;
}

/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0": the total, from which everything else can be had.
bool parse_pressure(Source source, std::string_view text, Sample& out) {
  const Keys& keys = keys_of_sources()[index(source)];
  constexpr std::string_view kTotal = " total=";
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t total = line.rfind(kTotal);
    if (total == std::string_view::npos) return false;
    std::string_view digits = line.substr(total + kTotal.size());
    const auto value = take_number(digits);
    const bool some = line.starts_with("some "), full = line.starts_with("full ");
    if (!value || !digits.empty() || (!some && !full)) return false;
    const std::size_t metric = keys.first + (full ? 1 : 0);
    out.values[metric] = *value;
    out.known[metric] = Known::measured;
  }
  return true;
}

/// "cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …" in ticks; the first line of /proc/stat.
bool parse_host_cpu(std::string_view text, std::uint64_t ticks, Sample& out) {
  std::string_view line = take_line(text);
  if (!line.starts_with("cpu ") || ticks == 0) return false;
  line.remove_prefix(3);
  std::array<std::uint64_t, 8> times{};
  for (std::uint64_t& time : times) {
    while (line.starts_with(' ')) line.remove_prefix(1);
    const auto value = take_number(line);
    if (!value) return false;
    time = *value * (1'000'000 / ticks);
  }
  const auto& [user, nice, system, idle, iowait, irq, softirq, steal] = times;
  out.set(Metric::cpu_user, user + nice);
  out.set(Metric::cpu_system, system + irq + softirq);
  out.set(Metric::cpu_usage, user + nice + system + irq + softirq);
  out.set(Metric::cpu_steal, steal);
  return true;
}

/// "Key:   123 kB" of /proc/meminfo.
std::optional<std::uint64_t> meminfo(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    const auto value = take_number(line);
    return value && line == " kB" ? std::optional(*value * 1024) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

bool parse(Source source, std::string_view text, Sample& out) {
  forget(source, out);
  bool understood = false;
  switch (source) {
    case Source::cpu_stat:
    case Source::cpu_stat_local:
    case Source::memory_events:
    case Source::memory_stat:
    case Source::cgroup_events:
      understood = parse_flat(source, text, out);
      break;
    case Source::memory_current:
    case Source::memory_peak:
    case Source::pids_current:
      understood = parse_one(source, text, out);
      break;
    case Source::cpu_max:
      understood = parse_cpu_max(text, out);
      break;
    case Source::memory_high:
    case Source::memory_max:
      understood = parse_limit(source, text, out);
      break;
    case Source::io_stat:
      understood = parse_io(text, out);
      break;
    case Source::cpu_pressure:
    case Source::memory_pressure:
    case Source::io_pressure:
      understood = parse_pressure(source, text, out);
      break;
  }
  if (!understood) forget(source, out);
  return understood;
}

bool parse_host(Source source, std::string_view text, std::uint64_t ticks, Sample& out) {
  switch (source) {
    case Source::cpu_stat:
      forget(source, out);
      return parse_host_cpu(text, ticks, out);
    case Source::memory_current: {
      forget(source, out);
      const auto total = meminfo(text, "MemTotal:"), available = meminfo(text, "MemAvailable:");
      if (!total || !available || *available > *total) return false;
      out.set(Metric::memory_current, *total - *available);
      return true;
    }
    case Source::memory_max: {
      forget(source, out);
      const auto total = meminfo(text, "MemTotal:");
      if (!total) return false;
      out.set(Metric::memory_max_limit, *total);
      return true;
    }
    default:
      return parse(source, text, out);
  }
}

}  // namespace weir::sample
