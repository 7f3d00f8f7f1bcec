// SPDX-License-Identifier: MIT
#include "weir/latency/plan.h"

#include <algorithm>

#include "weir/latency/stats.h"

namespace weir::latency {
namespace {

struct Repeats {
  std::uint32_t warm_up, counted;
};

Repeats repeats(const Counts& counts, Part part, Method method) {
  if (part == Part::effect) return {.warm_up = counts.effect > 0 ? 1U : 0U, .counted = counts.effect};
  const bool direct = info(method).speed == Speed::direct;
  const std::uint32_t counted = direct ? counts.direct : counts.slow;
  return {.warm_up = std::min(counted, direct ? 100U : 2U), .counted = counted};
}

void append_shuffled(std::vector<Step>& plan, std::vector<Step> steps, Random& random) {
  for (std::size_t left = steps.size(); left > 1; --left)
    std::swap(steps[left - 1], steps[static_cast<std::size_t>(random.below(left))]);
  plan.insert(plan.end(), steps.begin(), steps.end());
}

}  // namespace

std::vector<Step> make_plan(const PlanOptions& options) {
  Random random(options.seed);
  std::vector<Step> plan;
  for (const KnobInfo& knob : raced_knobs()) {
    for (const Part part : {Part::calls, Part::effect}) {
      if (part == Part::effect && knob.effect == bpf::Effect::none) continue;
      std::vector<Step> warm_ups;
      std::vector<Step> counted;
      for (const Combination& each : options.combinations) {
        if (each.knob != knob.knob) continue;
        const Repeats times = repeats(options.counts, part, each.method);
        const Step step{.knob = each.knob, .part = part, .method = each.method};
        counted.insert(counted.end(), times.counted, step);
        warm_ups.insert(warm_ups.end(), times.warm_up,
                        {.knob = each.knob, .part = part, .method = each.method, .warm_up = true});
      }
      append_shuffled(plan, std::move(warm_ups), random);
      append_shuffled(plan, std::move(counted), random);
    }
  }
  return plan;
}

}  // namespace weir::latency
