// SPDX-License-Identifier: MIT
#pragma once
// Decide: what becomes of a soft limit, by its view and its policy. What holds for every policy is here: a
// raise only where this very limit is the cause, never past hard or below floor, one raise a cooldown, down
// only when it has been calm, nothing less than a step. Pure.

#include <string_view>

#include "weir/policy/policies.h"
#include "weir/policy/view.h"

namespace weir::policy {

enum class Verdict : std::uint8_t {
  keep,
  raise,
  lower,
  at_hard,  ///< it needs more than it may ever have
  refused,  ///< a raise could not help; see the cause
};
std::string_view to_string(Verdict verdict);

/// Why a container does not get what it wants.
enum class Cause : std::uint8_t {
  none,         ///< it does
  own_limit,    ///< this soft limit
  limit_above,  ///< that of a cgroup above
  contention,   ///< others use it, or a hypervisor
  bounds,       ///< what was in force was out of its bounds, or is the first
  budget,       ///< what is left of the host is for others
};
std::string_view to_string(Cause cause);

/// What held it back, by what was seen.
Cause cause_of(const View& view);

struct Decision {
  Verdict verdict = Verdict::keep;
  Cause cause = Cause::none;
  double limit = 0;              ///< from now on
  double burst = 0, weight = 0;  ///< the same, as in View
  bool operator==(const Decision&) const = default;
};

/// `limit` whatever a policy says, with what eases it as far as that fits.
Decision with_limit(const View& view, Verdict verdict, Cause cause, double limit);

/// A raise that needs more than is available gets that, if it is a step at least. What eases a limit is given
/// before it is raised, and taken when it was lowered already. limit + burst never exceeds the hard limit.
Decision decide(const View& view, const Policy& policy, std::span<const double> parameters,
                const learn::Model* model = nullptr);

}  // namespace weir::policy
