// SPDX-License-Identifier: MIT
// percentile: a percentile of the use of the last minutes with a margin above it, as Autopilot does, and a
// step up where that was too low. Parameters: percentile, margin.
#include <algorithm>

#include "weir/policy/policies.h"

namespace weir::policy {

double propose_percentile(const View& view, std::span<const double> parameters,
                          const learn::Model* /*model*/) {
  const double percentile = parameters[0], margin = parameters[1];
  const double use = percentile >= 100  ? view.peak
                     : percentile >= 99 ? view.p99
                     : percentile >= 95 ? view.p95
                     : percentile >= 90 ? view.p90
                                        : view.p50;
  // Memory that is in use now is left in use.
  const double enough = std::max(use * (1 + margin), view.resource == Resource::memory ? view.use : 0);
  if (view.woken > 0 || view.held > 0.05) return std::max(enough, view.limit + view.step);
  return enough;
}

}  // namespace weir::policy
