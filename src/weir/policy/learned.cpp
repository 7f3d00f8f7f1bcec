// SPDX-License-Identifier: MIT
// learned: up to what a model says will be enough, on the safe side of its uncertainty, and a step at least;
// where it says nothing higher, or there is none, as `step` does. Down as `step` does. Parameters: margin,
// calm, which are those of `step`.
#include <algorithm>

#include "weir/policy/features.h"
#include "weir/policy/policies.h"

namespace weir::policy {

double propose_learned(const View& view, std::span<const double> parameters, const learn::Model* model) {
  const double stepped = propose_step(view, parameters, nullptr);
  if (model == nullptr || stepped <= view.limit) return stepped;
  const auto suggestion = model->suggest(to_string(view.resource), features_of(view));
  const double enough = suggestion ? suggestion->safe * view.hard : 0;
  return enough > view.limit ? std::max(enough, view.limit + view.step) : stepped;
}

}  // namespace weir::policy
