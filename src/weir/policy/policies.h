// SPDX-License-Identifier: MIT
#pragma once
// Policies: where a soft limit should be, by what is seen. Each is one pure function in one file and one row
// of the table: the same view, parameters and model give the same answer. None knows bounds, causes or
// cooldowns; decide.h sees to those for all of them.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "weir/learn/model.h"
#include "weir/policy/view.h"

namespace weir::policy {

/// A number that a policy may be given, and what it is otherwise.
struct Parameter {
  std::string_view name;
  double value = 0;  ///< unless it is given
  double low = 0, high = 0;
  std::string_view about;
};

/// The numbers of a policy in the order of its table.
using Parameters = std::vector<double>;

/// What eases a limit of CPU without moving it.
struct Ease {
  double burst = 0;   ///< cpu.max.burst, in CPUs of one period
  double weight = 0;  ///< cpu.weight
  bool operator==(const Ease&) const = default;
};

struct Policy {
  std::string_view name;
  std::string_view about;
  std::span<const Parameter> parameters;
  /// The soft limit that it would have; the view's own: no change. `model` may be null: there is none.
  double (*propose)(const View& view, std::span<const double> parameters, const learn::Model* model);
  bool asks_model = false;
  /// What it would have before its limit is raised, and until after it was lowered; the view's own: no
  /// change. Null: nothing but the limit.
  Ease (*ease)(const View& view, std::span<const double> parameters) = nullptr;
};

std::span<const Policy> policies();
/// nullptr: there is none of that name.
const Policy* find_policy(std::string_view name);
/// All parameters as they are unless given.
Parameters defaults_of(const Policy& policy);

double propose_step(const View& view, std::span<const double> parameters, const learn::Model* model);
double propose_pressure(const View& view, std::span<const double> parameters, const learn::Model* model);
double propose_percentile(const View& view, std::span<const double> parameters, const learn::Model* model);
double propose_learned(const View& view, std::span<const double> parameters, const learn::Model* model);
double propose_burst(const View& view, std::span<const double> parameters, const learn::Model* model);
Ease ease_burst(const View& view, std::span<const double> parameters);

}  // namespace weir::policy
