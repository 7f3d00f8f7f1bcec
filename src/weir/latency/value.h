// SPDX-License-Identifier: MIT
#pragma once
// Value: one value for one raced knob, in the words of everyone who is asked to set it. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/latency/method.h"

namespace weir::latency {

/// cpu.max: microseconds of each 100 ms; memory: bytes; cpu.weight: Docker's shares, from which the weight
/// follows.
struct Value {
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  std::uint64_t number = 0;
  bool operator==(const Value&) const = default;
};

inline constexpr std::uint64_t kPeriodMicros = 100'000;
inline constexpr std::uint64_t kUnlimited = UINT64_MAX;  ///< "max"; not for cpu.weight

std::string kernel_text(const Value& value);  ///< "50000 100000"
std::vector<std::string> docker_options(
    const Value& value);                        ///< "--cpu-period", "100000", …; empty for memory.high
std::string docker_json(const Value& value);    ///< body of POST /containers/ID/update
std::string oci_resources(const Value& value);  ///< what `runc update --resources` reads
/// Property of a systemd unit, and its value.
struct UnitProperty {
  std::string name;
  std::uint64_t value = 0;
};
UnitProperty unit_property(const Value& value);

/// What the kernel's text of the knob says ("max 100000"), as near as a Value can: another period is
/// converted.
Result<Value> parse_value(cgroup::Knob knob, std::string_view kernel_text);

/// The cgroup v2 weight that runc makes of Docker's shares (2..262144 -> 1..10000).
std::uint64_t weight_of_shares(std::uint64_t shares);

}  // namespace weir::latency
