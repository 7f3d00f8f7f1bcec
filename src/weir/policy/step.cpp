// SPDX-License-Identifier: MIT
// step: a fixed step up whenever the limit holds the container back, and twice, four times that while
// it still does; down to what it uses once it has been calm. Parameters: margin, calm.
#include <algorithm>
#include <cmath>

#include "weir/policy/policies.h"

namespace weir::policy {

double propose_step(const View& view, std::span<const double> parameters, const learn::Model* /*model*/) {
  const double margin = parameters[0], calm = parameters[1];
  constexpr double kHeld = 0.05, kMostDoubled = 2;
  if (view.woken > 0 || view.held > kHeld) {
    const double doubled = std::min(std::floor(view.held_for / view.cooldown), kMostDoubled);
    return view.limit + view.step * std::exp2(doubled);
  }
  if (view.calm < calm) return view.limit;
  const double enough = std::max(view.use, view.peak) * (1 + margin);
  return std::min(view.limit, enough);
}

}  // namespace weir::policy
