// SPDX-License-Identifier: MIT
#include "weir/limits/sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cgroup/value.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using cgroup::Setting;
__extension__ typedef unsigned __int128 Wide;  // a quota in microseconds times 10^9

constexpr std::uint64_t kNano = 1'000'000'000;
constexpr std::uint64_t kUsualPeriod = 100'000;

/// A knob that is one property, whose value is the kernel's number or "max".
constexpr std::array<std::pair<Knob, std::string_view>, 6> kNumbers = {
    {{Knob::memory_min, "MemoryMin"},
     {Knob::memory_low, "MemoryLow"},
     {Knob::memory_high, "MemoryHigh"},
     {Knob::memory_max, "MemoryMax"},
     {Knob::memory_swap_max, "MemorySwapMax"},
     {Knob::pids_max, "TasksMax"}}};
constexpr std::array<std::string_view, 4> kIoMax = {"IOReadBandwidthMax", "IOWriteBandwidthMax",
                                                    "IOReadIOPSMax", "IOWriteIOPSMax"};

std::string text_of(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second;
}

/// Whether a value of the Engine's means that there is no limit: 0, or an empty list (CPU 0 is one).
bool is_none(std::string_view name, std::string_view value) {
  return value.empty() || (value == "0" && !name.starts_with("Cpuset"));
}

bool is_set(const Listeners& listeners, const std::string& name) {
  return !is_none(name, text_of(listeners.engine_says, name));
}

std::uint64_t divide_up(Wide value, std::uint64_t by) {
  return static_cast<std::uint64_t>((value + by - 1) / by);
}

std::string number_or_infinity(std::string_view text) {
  return std::string(text == "max" ? kInfinity : text);
}

const Setting* find(const std::vector<Setting>& settings, Knob knob) {
  const auto found = std::ranges::find(settings, knob, &Setting::knob);
  return found == settings.end() ? nullptr : &*found;
}

}  // namespace

std::string rounding_note(const std::string& kept, std::uint64_t quota_step) {
  return fmt::format("systemd keeps {} percents: when it writes cpu.max again it makes '{}' of it",
                     quota_step == kHundredthsOfPercents ? "hundredths of" : "whole", kept);
}

namespace {

class Translator {
 public:
  Translator(const std::vector<Setting>& wanted, const std::vector<Setting>& kernel,
             const Listeners& listeners)
      : wanted_(wanted), kernel_(kernel), listeners_(listeners) {}

  Telling run() {
    for (const Setting& setting : wanted_) {
      if (listeners_.engine && !engine_names(setting, listeners_).empty()) tell_engine(setting);
      if (listeners_.unit) tell_unit(setting);
      if (const auto kept = rounded(setting, listeners_.quota_step); kept && listeners_.unit)
        note(rounding_note(*kept, listeners_.quota_step));
    }
    return std::move(telling_);
  }

 private:
  void note(std::string text) { telling_.notes.push_back(std::move(text)); }

  /// The value of a knob of the same cgroup: as wanted, else as the kernel has it.
  [[nodiscard]] std::string held(Knob knob) const {
    if (const Setting* setting = find(wanted_, knob)) return setting->text;
    const Setting* setting = find(kernel_, knob);
    return setting != nullptr ? setting->text : std::string();
  }

  void tell_engine(const Setting& setting) {
    Values& engine = telling_.engine;
    switch (setting.knob) {
      case Knob::cpu_max:
        return tell_engine_cpu(setting);
      case Knob::memory_max:
      case Knob::memory_swap_max:
        return tell_engine_memory();
      case Knob::memory_low:
        engine["MemoryReservation"] = setting.text;
        return;
      case Knob::pids_max:
        engine["PidsLimit"] = setting.text == "max" ? "0" : setting.text;
        return;
      case Knob::cpuset_cpus:
        engine["CpusetCpus"] = setting.text;
        return;
      case Knob::cpuset_mems:
        engine["CpusetMems"] = setting.text;
        return;
      case Knob::cpu_weight:  // runc: weight = 1 + (shares - 2) * 9999 / 262142
        if (const auto weight = parse_u64(setting.text); weight && *weight > 0)
          engine["CpuShares"] = fmt::to_string(2 + divide_up(Wide{*weight - 1} * 262'142, 9'999));
        return;
      default:
        return;
    }
  }

  void tell_engine_cpu(const Setting& setting) {
    const auto value = cgroup::parse_cpu_max(setting.text);
    if (!value) return;
    const auto period = static_cast<std::uint64_t>(value->period.count());
    const bool limited = !value->quota.is_unlimited();
    const auto quota = limited ? static_cast<std::uint64_t>(value->quota.value().count()) : 0;
    const bool as_quota =
        !is_set(listeners_, "NanoCpus") &&
        (is_set(listeners_, "CpuQuota") || is_set(listeners_, "CpuPeriod") || period != kUsualPeriod);
    if (as_quota) {
      telling_.engine["CpuQuota"] = limited ? fmt::to_string(quota) : "-1";
      if (period != kUsualPeriod || is_set(listeners_, "CpuPeriod"))
        telling_.engine["CpuPeriod"] = fmt::to_string(period);
    } else {
      const std::uint64_t all = listeners_.host_cpus * kNano;
      const std::uint64_t nano =
          limited ? std::max(divide_up(Wide{quota} * kNano, period), kNano / 100) : all;
      telling_.engine["NanoCpus"] = fmt::to_string(all > 0 ? std::min(nano, all) : nano);
      if (!limited)
        note("docker cannot forget NanoCpus: it is told all CPUs of the host, which is as good as none");
      if (limited && period != kUsualPeriod)
        note("docker keeps NanoCpus in periods of 100 ms: a docker update brings those back");
    }
  }

  void tell_engine_memory() {
    const std::string limit = held(Knob::memory_max);
    const std::string swap = held(Knob::memory_swap_max);
    const auto bytes = limit == "max" ? std::optional(listeners_.host_memory) : parse_u64(limit);
    if (!bytes || *bytes == 0) return;
    if (limit == "max")
      note("docker cannot forget Memory: it is told all memory of the host, which is as good as none");
    const auto more = parse_u64(swap);
    telling_.engine["Memory"] = fmt::to_string(*bytes);
    telling_.engine["MemorySwap"] = more ? fmt::to_string(*bytes + *more) : "-1";
  }

  void tell_unit(const Setting& setting) {
    Values& unit = telling_.unit;
    const std::vector<std::string> names = unit_names(setting, listeners_);
    if (names.empty()) return;
    switch (setting.knob) {
      case Knob::cpu_max:
        return tell_unit_cpu(setting);
      case Knob::cpu_weight:
      case Knob::cpu_idle:
        unit["CPUWeight"] = held(Knob::cpu_idle) == "1" ? "0" : held(Knob::cpu_weight);
        return;
      case Knob::cpuset_cpus:
      case Knob::cpuset_mems:
        unit[names.front()] = setting.text;
        return;
      case Knob::io_max: {
        const auto limits = cgroup::parse_io_max(setting.text, cgroup::Sizes::plain).value.limits;
        for (std::size_t n = 0; n < kIoMax.size(); ++n)
          unit[names.at(n)] = limits.at(n) ? fmt::to_string(*limits.at(n)) : std::string(kInfinity);
        return;
      }
      case Knob::io_weight:
        unit[names.front()] = setting.text == "default" ? "100" : setting.text;
        return;
      case Knob::io_latency: {
        const std::string_view target = std::string_view(setting.text).substr(setting.text.find('=') + 1);
        unit[names.front()] = target == "0" ? std::string(kInfinity) : std::string(target);
        return;
      }
      default:
        unit[names.front()] = number_or_infinity(setting.text);
    }
  }

  void tell_unit_cpu(const Setting& setting) {
    const auto value = cgroup::parse_cpu_max(setting.text);
    if (!value) return;
    const auto period = static_cast<std::uint64_t>(value->period.count());
    std::string now = text_of(listeners_.unit_says, "CPUQuotaPeriodUSec");
    if (now == kInfinity) now = fmt::to_string(kUsualPeriod);
    if (now != fmt::to_string(period)) telling_.unit["CPUQuotaPeriodUSec"] = fmt::to_string(period);
    std::string& quota = telling_.unit["CPUQuotaPerSecUSec"];
    if (value->quota.is_unlimited()) {
      quota = kInfinity;
      return;
    }
    const auto exact = static_cast<std::uint64_t>(value->quota.value().count());
    const std::uint64_t steps = divide_up(Wide{exact} * 1'000'000, period * listeners_.quota_step);
    quota = fmt::to_string(steps * listeners_.quota_step);
  }

  const std::vector<Setting>& wanted_;
  const std::vector<Setting>& kernel_;
  const Listeners& listeners_;
  Telling telling_;
};

}  // namespace

std::vector<std::string> engine_names(const Setting& setting, const Listeners& listeners) {
  const auto if_set = [&](const char* name) {
    return is_set(listeners, name) ? std::vector<std::string>{name} : std::vector<std::string>();
  };
  const bool empty = setting.text.empty();
  switch (setting.knob) {
    case Knob::cpu_max:
      return {"NanoCpus", "CpuQuota", "CpuPeriod"};
    case Knob::memory_max:
      return {"Memory", "MemorySwap"};
    case Knob::memory_swap_max:  // the Engine takes a swap limit only beside a memory limit
      return is_set(listeners, "Memory") ? std::vector<std::string>{"Memory", "MemorySwap"}
                                         : std::vector<std::string>();
    case Knob::memory_low:
      return setting.text == "0" || setting.text == "max" ? std::vector<std::string>()
                                                          : if_set("MemoryReservation");
    case Knob::pids_max:
      return if_set("PidsLimit");
    case Knob::cpuset_cpus:  // an empty list means "as it was" to the Engine
      return empty ? std::vector<std::string>() : if_set("CpusetCpus");
    case Knob::cpuset_mems:
      return empty ? std::vector<std::string>() : if_set("CpusetMems");
    case Knob::cpu_weight:
      return if_set("CpuShares");
    default:
      return {};
  }
}

std::vector<std::string> unit_names(const Setting& setting, const Listeners& listeners) {
  const auto of_device = [&](auto... properties) -> std::vector<std::string> {
    const auto path = listeners.device_paths.find(setting.device);
    if (path == listeners.device_paths.end()) return {};
    return {fmt::format("{} {}", properties, path->second)...};
  };
  for (const auto& [knob, name] : kNumbers)
    if (knob == setting.knob) return {std::string(name)};
  switch (setting.knob) {
    case Knob::cpu_max:
      return {"CPUQuotaPerSecUSec", "CPUQuotaPeriodUSec"};
    case Knob::cpu_weight:
    case Knob::cpu_idle:
      return {"CPUWeight"};
    case Knob::cpuset_cpus:
      return {"AllowedCPUs"};
    case Knob::cpuset_mems:
      return {"AllowedMemoryNodes"};
    case Knob::io_max:
      return of_device(kIoMax[0], kIoMax[1], kIoMax[2], kIoMax[3]);
    case Knob::io_weight:
      return setting.device == "default" ? std::vector<std::string>{"IOWeight"} : of_device("IODeviceWeight");
    case Knob::io_latency:
      return of_device("IODeviceLatencyTargetUSec");
    default:
      return {};
  }
}

std::optional<std::string> rounded(const Setting& setting, std::uint64_t quota_step) {
  const auto value = setting.knob == Knob::cpu_max ? cgroup::parse_cpu_max(setting.text) : cgroup::CpuMax{};
  if (!value || value->quota.is_unlimited()) return std::nullopt;
  const auto period = static_cast<std::uint64_t>(value->period.count());
  const auto quota = static_cast<std::uint64_t>(value->quota.value().count());
  const std::uint64_t per_second = divide_up(Wide{quota} * 1'000'000, period * quota_step) * quota_step;
  const auto kept = static_cast<std::uint64_t>(Wide{per_second} * period / 1'000'000);
  if (kept == quota) return std::nullopt;
  return fmt::format("{} {}", kept, period);
}

Telling translate(const std::vector<Setting>& wanted, const std::vector<Setting>& kernel,
                  const Listeners& listeners) {
  return Translator(wanted, kernel, listeners).run();
}

Telling translate_back(const Values& engine_before, const Values& unit_before, const Listeners& listeners) {
  Telling telling{.engine = {}, .unit = unit_before, .notes = {}};
  for (const auto& [name, before] : engine_before) {
    if (before == text_of(listeners.engine_says, name)) continue;
    if (!is_none(name, before)) {
      telling.engine[name] = before;
    } else if (name == "NanoCpus" || name == "Memory") {
      const std::uint64_t all = name == "Memory" ? listeners.host_memory : listeners.host_cpus * kNano;
      if (all > 0) telling.engine[name] = fmt::to_string(all);
      telling.notes.push_back(fmt::format(
          "docker cannot forget {}: it is told the whole host's, which is as good as none", name));
    } else if (name == "CpuPeriod") {
      telling.engine[name] = fmt::to_string(kUsualPeriod);
    } else {
      telling.engine[name] = "-1";
    }
  }
  // The Engine refuses a memory limit without one for memory and swap together.
  if (telling.engine.contains("Memory") && !telling.engine.contains("MemorySwap")) {
    const std::string swap = text_of(listeners.engine_says, "MemorySwap");
    telling.engine["MemorySwap"] = is_none("MemorySwap", swap) ? "-1" : swap;
  }
  return telling;
}

std::vector<std::string> differences(const Values& wanted, const Values& says) {
  std::vector<std::string> found;
  for (const auto& [name, value] : wanted) {
    const auto other = says.find(name);
    // A device without an entry has no limit.
    const std::string_view now = other == says.end() ? kInfinity : std::string_view(other->second);
    if (now != value)
      found.push_back(fmt::format("{} is {}, not {}", name, now == kInfinity ? "infinity" : now, value));
  }
  return found;
}

std::string engine_json(const Values& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) {
    std::int64_t number = 0;
    const bool negative = value == "-1";
    if (const auto parsed = parse_u64(value)) number = static_cast<std::int64_t>(*parsed);
    if (name.starts_with("Cpuset"))
      json[name] = value;
    else
      json[name] = negative ? -1 : number;
  }
  return dump_json(json, -1);
}

std::vector<std::uint8_t> cpu_mask(std::string_view list) {
  constexpr std::uint64_t kMostCpus = 8192;
  std::vector<std::uint8_t> mask;
  for (const std::string_view piece : split(list, ',')) {
    const std::size_t dash = piece.find('-');
    const auto first = parse_u64(piece.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_u64(piece.substr(dash + 1));
    if (!first || !last || *last >= kMostCpus) continue;
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu) {
      if (mask.size() <= cpu / 8) mask.resize(cpu / 8 + 1);
      mask[cpu / 8] = static_cast<std::uint8_t>(mask[cpu / 8] | 1U << (cpu % 8));
    }
  }
  return mask;
}

std::string cpu_list(const std::vector<std::uint8_t>& mask) {
  std::string list;
  for (std::size_t cpu = 0; cpu < mask.size() * 8; ++cpu) {
    if ((mask[cpu / 8] >> (cpu % 8) & 1U) == 0) continue;
    list += fmt::format("{}{}", list.empty() ? "" : ",", cpu);
  }
  return cgroup::canonical_list(list).value_or("");
}

}  // namespace weir::limits
