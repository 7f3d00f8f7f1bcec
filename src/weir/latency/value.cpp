// SPDX-License-Identifier: MIT
#include "weir/latency/value.h"

#include <fmt/format.h>

#include "weir/base/text.h"

namespace weir::latency {

using cgroup::Knob;

std::uint64_t weight_of_shares(std::uint64_t shares) { return 1 + ((shares - 2) * 9999) / 262142; }

namespace {

/// As the kernel says it.
std::string or_max(const Value& value) {
  return value.number == kUnlimited ? "max" : fmt::format("{}", value.number);
}
/// As Docker and runc say it.
std::string or_minus_one(const Value& value) {
  return value.number == kUnlimited ? "-1" : fmt::format("{}", value.number);
}

std::uint64_t shares_of_weight(std::uint64_t weight) {
  return weight == 100 ? 1024 : 2 + ((weight - 1) * 262142) / 9999;  // 100 and 1024 are the defaults
}

}  // namespace

std::string kernel_text(const Value& value) {
  if (value.knob == Knob::cpu_max) return fmt::format("{} {}", or_max(value), kPeriodMicros);
  if (value.knob == Knob::cpu_weight) return fmt::format("{}", weight_of_shares(value.number));
  return or_max(value);
}

Result<Value> parse_value(Knob knob, std::string_view text) {
  const auto bad = [&] {
    return std::unexpected(
        make_error(ErrorKind::invalid, raced(knob).file, fmt::format("holds \"{}\"", text)));
  };
  const auto fields = words(text);
  if (fields.empty()) return bad();
  const auto number = fields[0] == "max" ? std::optional(kUnlimited) : parse_u64(fields[0]);
  if (!number) return bad();
  if (knob == Knob::cpu_weight) {
    if (*number < 1 || *number > 10'000) return bad();
    return Value{.knob = knob, .number = shares_of_weight(*number)};
  }
  if (knob == Knob::cpu_max && *number != kUnlimited) {
    const auto period = fields.size() == 2 ? parse_u64(fields[1]) : std::nullopt;
    if (!period || *period == 0 || *number > UINT64_MAX / kPeriodMicros) return bad();
    return Value{.knob = knob, .number = *number * kPeriodMicros / *period};
  }
  return Value{.knob = knob, .number = *number};
}

std::vector<std::string> docker_options(const Value& value) {
  const std::string number = or_minus_one(value);
  switch (value.knob) {
    case Knob::cpu_max:
      return {"--cpu-period", fmt::format("{}", kPeriodMicros), "--cpu-quota", number};
    // Docker refuses a memory limit above the swap limit that it remembers, so both are said.
    case Knob::memory_max:
      return {"--memory", number, "--memory-swap", "-1"};
    case Knob::cpu_weight:
      return {"--cpu-shares", number};
    default:
      return {};
  }
}

std::string docker_json(const Value& value) {
  switch (value.knob) {
    case Knob::cpu_max:
      return fmt::format(R"({{"CpuPeriod":{},"CpuQuota":{}}})", kPeriodMicros, or_minus_one(value));
    case Knob::memory_max:
      return fmt::format(R"({{"Memory":{},"MemorySwap":-1}})", or_minus_one(value));
    case Knob::cpu_weight:
      return fmt::format(R"({{"CpuShares":{}}})", value.number);
    default:
      return "{}";
  }
}

std::string oci_resources(const Value& value) {
  switch (value.knob) {
    case Knob::cpu_max:
      return fmt::format(R"({{"cpu":{{"period":{},"quota":{}}}}})", kPeriodMicros, or_minus_one(value));
    case Knob::memory_max:
      return fmt::format(R"({{"memory":{{"limit":{},"swap":-1}}}})", or_minus_one(value));
    case Knob::cpu_weight:
      return fmt::format(R"({{"cpu":{{"shares":{}}}}})", value.number);
    default:
      return fmt::format(R"({{"unified":{{"{}":"{}"}}}})", raced(value.knob).file, kernel_text(value));
  }
}

UnitProperty unit_property(const Value& value) {
  switch (value.knob) {
    case Knob::cpu_max:
      return {.name = "CPUQuotaPerSecUSec",
              .value = value.number == kUnlimited ? kUnlimited : value.number * 1'000'000 / kPeriodMicros};
    case Knob::memory_max:
      return {.name = "MemoryMax", .value = value.number};
    case Knob::memory_high:
      return {.name = "MemoryHigh", .value = value.number};
    default:
      return {.name = "CPUWeight", .value = weight_of_shares(value.number)};
  }
}

}  // namespace weir::latency
