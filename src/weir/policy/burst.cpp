// SPDX-License-Identifier: MIT
// burst: what the limit did not let it use before may be used at once (cpu.max.burst), and where others use
// the CPUs it weighs more (cpu.weight); up by steps only where that does not do: its use stays at the limit,
// or it is held back although it may burst as much as can be. Down as `step`; weight and bursts go last. Of
// memory and IO it is `step`. Parameters: margin, calm, which are those of `step`, keep, weight.
#include <algorithm>

#include "weir/policy/policies.h"

namespace weir::policy {
namespace {

/// Below that a share is noise.
constexpr double kHeld = 0.05, kContended = 0.1, kAlone = 0.02;
constexpr double kHeavier = 2;

/// Whether what holds it back is no burst: it has used all of its limit for longer than bursts can be.
bool lasts(const View& view) {
  constexpr double kAll = 0.9, kLong = 0.5;
  return view.held > kHeld && view.held_for >= kLong && view.use >= kAll * view.limit;
}

}  // namespace

Ease ease_burst(const View& view, std::span<const double> parameters) {
  const double keep = parameters[2], heaviest = std::max(parameters[3], view.weight_before);
  Ease ease{.burst = view.burst, .weight = view.weight};
  const bool held = view.woken > 0 || view.held > kHeld;
  if (held && !lasts(view)) ease.burst = std::max(view.burst, view.burst_most);
  if (view.contention > kContended) ease.weight = std::min(view.weight * kHeavier, heaviest);
  if (held || view.calm < keep || view.since_change < keep) return ease;
  if (view.contention <= kAlone && view.weight > view.weight_before)
    ease.weight = view.weight_before;
  else
    ease.burst = 0;
  return ease;
}

double propose_burst(const View& view, std::span<const double> parameters, const learn::Model* /*model*/) {
  View seen = view;
  // That it was just hit does not say for how long.
  if (view.resource == Resource::cpu && view.burst_most > 0) seen.woken = 0;
  const double stepped = propose_step(seen, parameters.first(2), nullptr);
  constexpr double kAlmost = 0.999;  // it is written in whole microseconds
  // What held it back before it was eased may still be in the last look.
  constexpr double kSettled = 1.2;
  const bool eased =
      view.burst >= kAlmost * view.burst_most && (view.burst_most <= 0 || view.since_raise >= kSettled);
  return stepped > view.limit && !eased && !lasts(view) ? view.limit : stepped;
}

}  // namespace weir::policy
