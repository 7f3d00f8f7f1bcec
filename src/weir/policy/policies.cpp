// SPDX-License-Identifier: MIT
#include "weir/policy/policies.h"

#include <algorithm>
#include <array>

namespace weir::policy {
namespace {

constexpr std::array kStep = {
    Parameter{
        .name = "margin", .value = 0.15, .low = 0, .high = 10, .about = "kept above the most that was used"},
    Parameter{.name = "calm",
              .value = 3,
              .low = 0.1,
              .high = 3600,
              .about = "seconds without being held before it goes down"},
};
constexpr std::array kPressure = {
    Parameter{.name = "target",
              .value = 0.02,
              .low = 0.0001,
              .high = 1,
              .about = "share of the time that tasks may wait"},
    Parameter{.name = "gain",
              .value = 0.5,
              .low = 0.01,
              .high = 1,
              .about = "how much of a step it goes down in a cooldown"},
};
constexpr std::array kPercentile = {
    Parameter{.name = "percentile",
              .value = 95,
              .low = 50,
              .high = 100,
              .about = "of the use: 50, 90, 95, 99 or 100"},
    Parameter{.name = "margin", .value = 0.15, .low = 0, .high = 10, .about = "kept above that"},
};

constexpr std::array kBurst = {
    kStep[0],
    kStep[1],
    Parameter{.name = "keep",
              .value = 30,
              .low = 1,
              .high = 86'400,
              .about = "seconds without being held before bursts and weight go"},
    Parameter{.name = "weight",
              .value = 400,
              .low = 1,
              .high = 10'000,
              .about = "cpu.weight at most, where others use the CPUs"},
};

/// Adding a policy is one file, one row here and one page in docs/policies.
constexpr std::array kTable = {
    Policy{.name = "step",
           .about = "up by a step whenever the limit holds it back, down to its use when that is over",
           .parameters = kStep,
           .propose = propose_step},
    Policy{.name = "pressure",
           .about = "as low as it can be while tasks wait no longer than a share of the time",
           .parameters = kPressure,
           .propose = propose_pressure},
    Policy{.name = "percentile",
           .about = "a percentile of the use of the last minutes, with a margin",
           .parameters = kPercentile,
           .propose = propose_percentile},
    Policy{.name = "learned",
           .about = "up to what a model says will be enough, down to its use; without a model as step",
           .parameters = kStep,
           .propose = propose_learned,
           .asks_model = true},
    Policy{.name = "burst",
           .about = "cpu: lets what was not used be used later, then weighs more; up by a step only where "
                    "that does not do",
           .parameters = kBurst,
           .propose = propose_burst,
           .ease = ease_burst},
};

}  // namespace

std::span<const Policy> policies() { return kTable; }

const Policy* find_policy(std::string_view name) {
  const auto* const found = std::ranges::find(kTable, name, &Policy::name);
  return found == kTable.end() ? nullptr : &*found;
}

Parameters defaults_of(const Policy& policy) {
  Parameters parameters;
  for (const Parameter& each : policy.parameters) parameters.push_back(each.value);
  return parameters;
}

}  // namespace weir::policy
