// SPDX-License-Identifier: MIT
#include "support/fake_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "weir/base/text.h"
#include "weir/cgroup/value.h"

namespace weir::testing {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kCpus = 64;  // the fake host's CPUs and memory nodes
constexpr std::uint64_t kNodes = 1;

std::unexpected<int> refuse(int err) { return std::unexpected(err); }
std::string line(std::uint64_t number) { return fmt::format("{}\n", number); }

std::optional<std::int64_t> parse_signed(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The first of the two numbers in a cpu.max text; nullopt for max.
std::optional<std::uint64_t> quota_of(const std::string& cpu_max) { return parse_u64(words(cpu_max).at(0)); }

FakeOutcome cpu_max(std::string_view text, const FakeRead& read) {
  const auto fields = words(text);
  if (fields.empty()) return refuse(EINVAL);
  const std::string old = read("cpu.max");
  // The kernel scans "%20s %llu" and does not look at what follows.
  const auto period = fields.size() > 1 ? parse_u64(fields[1]) : parse_u64(words(old).at(1));
  if (!period || *period < 1000 || *period > 1'000'000) return refuse(EINVAL);
  if (fields[0] == "max") return fmt::format("max {}\n", *period);
  const auto quota = parse_u64(fields[0]);
  if (!quota || *quota < 1000 || *quota >= std::uint64_t{1} << 44) return refuse(EINVAL);
  if (*parse_u64(trim(read("cpu.max.burst"))) > *quota) return refuse(EINVAL);
  return fmt::format("{} {}\n", *quota, *period);
}

FakeOutcome cpu_max_burst(std::string_view text, const FakeRead& read) {
  const auto burst = parse_u64(trim(text));
  if (!burst) return refuse(EINVAL);
  const auto quota = quota_of(read("cpu.max"));
  if (quota && *burst > *quota) return refuse(EINVAL);
  return line(*burst);
}

FakeOutcome cpu_weight(std::string_view text, const FakeRead& read) {
  const auto weight = parse_u64(trim(text));
  if (!weight) return refuse(EINVAL);
  if (*weight < 1 || *weight > 10'000) return refuse(ERANGE);
  if (trim(read("cpu.idle")) == "1") return refuse(EINVAL);
  return line(*weight);
}

FakeOutcome zero_or_one(std::string_view text, int out_of_range) {
  const auto value = parse_signed(trim(text));
  if (!value) return refuse(EINVAL);
  if (*value != 0 && *value != 1) return refuse(out_of_range);
  return fmt::format("{}\n", *value);
}
FakeOutcome cpu_idle(std::string_view text, const FakeRead&) { return zero_or_one(text, EINVAL); }
FakeOutcome oom_group(std::string_view text, const FakeRead&) { return zero_or_one(text, EINVAL); }
FakeOutcome freeze(std::string_view text, const FakeRead&) { return zero_or_one(text, ERANGE); }

FakeOutcome memory(std::string_view text, const FakeRead&) {
  text = trim(text);
  if (text == "max") return "max\n";
  // page_counter_memparse: digits, one of KMGTP, nothing more; rounded down to pages.
  if (!text.empty() && (text.back() == 'B' || text.back() == 'b')) return refuse(EINVAL);
  if (text.find('.') != std::string_view::npos) return refuse(EINVAL);
  const auto bytes = parse_bytes(text);
  if (!bytes) return refuse(EINVAL);
  const std::uint64_t pages = bytes->count() / kPage;
  if (pages >= static_cast<std::uint64_t>(INT64_MAX) / kPage) return "max\n";
  return line(pages * kPage);
}

FakeOutcome pids_max(std::string_view text, const FakeRead&) {
  text = trim(text);
  if (text == "max") return "max\n";
  const auto value = parse_signed(text);
  if (!value || *value < 0 || *value > 4'194'304) return refuse(EINVAL);
  return line(static_cast<std::uint64_t>(*value));
}

FakeOutcome list_below(std::string_view text, std::uint64_t count) {
  const auto list = cgroup::canonical_list(text);
  if (!list) return refuse(EINVAL);
  if (list->empty()) return "\n";
  const std::string_view last = std::string_view(*list).substr(list->find_last_of("-,") + 1);
  if (*parse_u64(last) >= count) return refuse(EINVAL);
  return fmt::format("{}\n", *list);
}
FakeOutcome cpuset_cpus(std::string_view text, const FakeRead&) { return list_below(text, kCpus); }
FakeOutcome cpuset_mems(std::string_view text, const FakeRead&) { return list_below(text, kNodes); }

/// Device lines of an io file, by device.
std::map<std::string, std::string> device_lines(std::string_view text) {
  std::map<std::string, std::string> lines;
  for (const std::string_view one : split(text, '\n'))
    if (const std::size_t blank = one.find(' '); blank != std::string_view::npos)
      lines.emplace(one.substr(0, blank), one.substr(blank + 1));
  return lines;
}
std::string join_lines(const std::map<std::string, std::string>& lines) {
  std::string text;
  for (const auto& [device, keys] : lines) text += fmt::format("{} {}\n", device, keys);
  return text;
}

/// Splits "MAJ:MIN rest"; the fake host has the devices 8:0 and 8:16.
std::expected<std::pair<std::string, std::string>, int> device_and_keys(std::string_view text) {
  text = trim(text);
  const std::size_t blank = std::min(text.find(' '), text.size());
  const std::string device(text.substr(0, blank));
  if (!cgroup::is_device_number(device)) return refuse(EINVAL);
  if (device != "8:0" && device != "8:16") return refuse(ENODEV);
  return std::pair{device, std::string(trim(text.substr(blank)))};
}

FakeOutcome io_max(std::string_view text, const FakeRead& read) {
  const auto target = device_and_keys(text);
  if (!target) return refuse(target.error());
  const auto parsed = cgroup::parse_io_max(target->second, cgroup::Sizes::plain);
  if (!parsed.trouble.empty())
    return refuse(parsed.trouble.find("=0 ") != std::string::npos ? ERANGE : EINVAL);
  auto lines = device_lines(read("io.max"));
  cgroup::IoMax value;
  if (const auto old = lines.find(target->first); old != lines.end())
    value = cgroup::parse_io_max(old->second, cgroup::Sizes::plain).value;
  for (std::size_t i = 0; i < value.limits.size(); ++i)
    if (parsed.value.named.at(i)) value.limits.at(i) = parsed.value.limits.at(i);
  value.named.fill(true);
  if (value.limits == cgroup::IoMax{}.limits)
    lines.erase(target->first);
  else
    lines.insert_or_assign(target->first, to_text(value));
  return join_lines(lines);
}

FakeOutcome io_weight(std::string_view text, const FakeRead& read) {
  text = trim(text);
  auto lines = device_lines(read("io.weight"));
  std::string device = "default", value(text);
  if (text.starts_with("default ")) {
    value = trim(text.substr(8));
  } else if (text.find(':') != std::string_view::npos) {
    const auto target = device_and_keys(text);
    if (!target) return refuse(target.error());
    std::tie(device, value) = *target;
    if (value == "default") {
      lines.erase(device);
      return join_lines(lines);
    }
  }
  const auto weight = parse_u64(value);
  if (!weight || *weight < 1 || *weight > 10'000) return refuse(EINVAL);
  lines.insert_or_assign(device, fmt::format("{}", *weight));
  const std::string first = fmt::format("default {}\n", lines.at("default"));
  lines.erase("default");
  return first + join_lines(lines);
}

FakeOutcome io_latency(std::string_view text, const FakeRead& read) {
  const auto target = device_and_keys(text);
  if (!target) return refuse(target.error());
  if (!target->second.starts_with("target=")) return refuse(EINVAL);
  const std::string value = target->second.substr(7);
  const auto micros = value == "max" ? std::optional<std::uint64_t>(0) : parse_u64(value);
  if (!micros) return refuse(EINVAL);
  auto lines = device_lines(read("io.latency"));
  if (*micros == 0)
    lines.erase(target->first);
  else
    lines.insert_or_assign(target->first, fmt::format("target={}", *micros));
  return join_lines(lines);
}

FakeOutcome as_written(std::string_view text, const FakeRead&) { return fmt::format("{}\n", trim(text)); }

constexpr std::string_view kCpuStat = "usage_usec 0\nuser_usec 0\nsystem_usec 0\n";
constexpr std::string_view kCpuStatFull =
    "usage_usec 0\nuser_usec 0\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts "
    "0\nburst_usec 0\n";
constexpr std::string_view kMemoryEvents = "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n";
constexpr std::string_view kPressure =
    "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
constexpr std::string_view kCpuStatLocal = "throttled_usec 0\n";
constexpr auto kHas = FakeRoot::has;
constexpr auto kLacks = FakeRoot::lacks;

// cpu.stat is a core file with three lines; with the cpu controller it has the throttling lines as well: the
// tree takes "cpu.stat full" then. cgroup.controllers and cgroup.subtree_control are kept by the tree itself.
constexpr std::array kRules = {
    FakeRule{"cgroup.controllers", "", kHas, "", nullptr},
    FakeRule{"cgroup.subtree_control", "", kHas, "", nullptr},
    FakeRule{"cgroup.procs", "", kHas, "", as_written},
    FakeRule{"cgroup.stat", "", kHas, "nr_descendants 0\nnr_dying_descendants 0\n", nullptr},
    FakeRule{"cgroup.type", "", kLacks, "domain\n", as_written},
    FakeRule{"cgroup.events", "", kLacks, "populated 0\nfrozen 0\n", nullptr},
    FakeRule{"cgroup.freeze", "", kLacks, "0\n", freeze},
    FakeRule{"cgroup.kill", "", kLacks, "", as_written},
    FakeRule{"cpu.stat", "", kHas, kCpuStat, nullptr},
    FakeRule{"cpu.stat full", "cpu", kLacks, kCpuStatFull, nullptr},
    FakeRule{"cpu.stat.local full", "cpu", kLacks, kCpuStatLocal, nullptr},
    FakeRule{"cpu.stat.local", "", kHas, "", nullptr},
    FakeRule{"cpu.max", "cpu", kLacks, "max 100000\n", cpu_max},
    FakeRule{"cpu.max.burst", "cpu", kLacks, "0\n", cpu_max_burst},
    FakeRule{"cpu.weight", "cpu", kLacks, "100\n", cpu_weight},
    FakeRule{"cpu.idle", "cpu", kLacks, "0\n", cpu_idle},
    FakeRule{"memory.min", "memory", kLacks, "0\n", memory},
    FakeRule{"memory.low", "memory", kLacks, "0\n", memory},
    FakeRule{"memory.high", "memory", kLacks, "max\n", memory},
    FakeRule{"memory.max", "memory", kLacks, "max\n", memory},
    FakeRule{"memory.swap.max", "memory", kLacks, "max\n", memory},
    FakeRule{"memory.oom.group", "memory", kLacks, "0\n", oom_group},
    FakeRule{"memory.current", "memory", kLacks, "0\n", nullptr},
    FakeRule{"memory.peak", "memory", kLacks, "0\n", nullptr},
    FakeRule{"memory.reclaim", "memory", kLacks, "", memory},
    FakeRule{"memory.swap.current", "memory", kLacks, "0\n", nullptr},
    FakeRule{"memory.events", "memory", kLacks, kMemoryEvents, nullptr},
    FakeRule{"memory.events.local", "memory", kLacks, kMemoryEvents, nullptr},
    FakeRule{"memory.stat", "memory", kHas, "anon 0\nfile 0\n", nullptr},
    FakeRule{"io.max", "io", kLacks, "", io_max},
    FakeRule{"io.weight", "io", kLacks, "default 100\n", io_weight},
    FakeRule{"io.latency", "io", kLacks, "", io_latency},
    FakeRule{"io.stat", "io", kHas, "", nullptr},
    FakeRule{"pids.max", "pids", kLacks, "max\n", pids_max},
    FakeRule{"pids.current", "pids", kLacks, "0\n", nullptr},
    FakeRule{"cpuset.cpus", "cpuset", kLacks, "\n", cpuset_cpus},
    FakeRule{"cpuset.mems", "cpuset", kLacks, "\n", cpuset_mems},
    FakeRule{"cpu.pressure", "", kHas, kPressure, nullptr},
    FakeRule{"memory.pressure", "", kHas, kPressure, nullptr},
    FakeRule{"io.pressure", "", kHas, kPressure, nullptr},
};

}  // namespace

std::span<const FakeRule> fake_rules() { return kRules; }

const FakeRule* fake_rule(std::string_view file) {
  const auto* found =
      std::find_if(kRules.begin(), kRules.end(), [&](const FakeRule& rule) { return rule.file == file; });
  return found == kRules.end() ? nullptr : found;
}

}  // namespace weir::testing
