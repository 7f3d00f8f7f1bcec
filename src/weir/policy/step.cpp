// SPDX-License-Identifier: MIT
// step: a fixed step up whenever the limit holds the container back, and twice, four times that while it
// still does; down to what it uses once it has been calm. Parameters: margin, calm.
#include <algorithm>

#include "weir/policy/policies.h"

namespace weir::policy {

double propose_step(const View& view, std::span<const double> parameters) {
  const double margin = parameters[0], calm = parameters[1];
  constexpr double kHeld = 0.05, kHeldHard = 0.5;
  if (view.woken > 0 || view.held > kHeld) return view.limit + view.step * (view.held > kHeldHard ? 2 : 1);
  if (view.calm < calm) return view.limit;
  const double enough = std::max(view.use, view.peak) * (1 + margin);
  return std::min(view.limit, enough);
}

}  // namespace weir::policy
