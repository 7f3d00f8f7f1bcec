// SPDX-License-Identifier: MIT
#include "weir/latency/estimate.h"

#include <algorithm>

namespace weir::latency {

using std::chrono::nanoseconds;

Estimate::Estimate(std::span<const Step> plan) : kinds_{} {
  for (const Step& step : plan) ++kind(step).left;
}

Estimate::Kind& Estimate::kind(const Step& step) {
  return kinds_.at(static_cast<std::size_t>(step.part)).at(static_cast<std::size_t>(step.method));
}

void Estimate::done(const Step& step, nanoseconds cost) {
  Kind& one = kind(step);
  if (one.left > 0) --one.left;
  if (cost.count() == 0) return;
  ++one.tried;
  one.spent += cost;
}

nanoseconds Estimate::left() const {
  nanoseconds sum{0};
  for (const auto& part : kinds_) {
    nanoseconds dearest{0};
    for (const Kind& one : part)
      if (one.tried > 0) dearest = std::max(dearest, one.spent / static_cast<std::int64_t>(one.tried));
    for (const Kind& one : part) {
      const nanoseconds each = one.tried > 0 ? one.spent / static_cast<std::int64_t>(one.tried) : dearest;
      sum += each * static_cast<std::int64_t>(one.left);
    }
  }
  return sum;
}

}  // namespace weir::latency
