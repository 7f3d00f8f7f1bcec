// SPDX-License-Identifier: MIT
#pragma once
// Policies: where a soft limit should be, by what is seen. Each is one pure function in one file and one row
// of the table: the same view and parameters give the same answer. None knows bounds, causes or cooldowns;
// decide.h sees to those for all of them.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

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

struct Policy {
  std::string_view name;
  std::string_view about;
  std::span<const Parameter> parameters;
  /// The soft limit that it would have; the view's own: no change.
  double (*propose)(const View& view, std::span<const double> parameters);
};

std::span<const Policy> policies();
/// nullptr: there is none of that name.
const Policy* find_policy(std::string_view name);
/// All parameters as they are unless given.
Parameters defaults_of(const Policy& policy);

double propose_step(const View& view, std::span<const double> parameters);
double propose_pressure(const View& view, std::span<const double> parameters);
double propose_percentile(const View& view, std::span<const double> parameters);

}  // namespace weir::policy
