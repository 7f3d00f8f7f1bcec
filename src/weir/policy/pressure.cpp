// SPDX-License-Identifier: MIT
// pressure: holds the share of the time in which tasks wait at a target, as senpai does for memory: down step
// by step while it is below, the slower the nearer it is, up at once by how far it is above. Parameters:
// target, gain.
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
  if (view.since_change * gain * (1 - waited / target) < view.cooldown) return view.limit;
  const double lower = view.limit - view.step;
  // What of the memory in use is needed is only seen below it.
  return view.resource == Resource::memory ? lower : std::max(view.use, lower);
}

}  // namespace weir::policy
