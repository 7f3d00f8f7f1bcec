// SPDX-License-Identifier: MIT
// pressure: holds the share of the time in which tasks wait at a target, as senpai does for memory: a little
// lower while it is below, up at once by how far it is above. Parameters: target, gain.
#include <algorithm>

#include "weir/policy/policies.h"

namespace weir::policy {

double propose_pressure(const View& view, std::span<const double> parameters, const learn::Model* /*model*/) {
  const double target = parameters[0], gain = parameters[1];
  // Waiting for others is not the limit's doing.
  const double waited = std::max(view.held, std::max(0.0, view.pressure - view.contention));
  if (view.woken > 0 || waited > target) {
    const double over = waited / target;
    return view.limit + view.step * std::clamp(over - 1, 1.0, 4.0);
  }
  return std::max(view.use, view.limit - gain * view.step * (1 - waited / target));
}

}  // namespace weir::policy
