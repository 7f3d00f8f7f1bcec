// SPDX-License-Identifier: MIT
#include "weir/latency/estimate.h"

#include <algorithm>

namespace weir::latency {

using std::chrono::nanoseconds;

namespace {
/// How long a cut or a raise is waited for before it is written.
constexpr std::chrono::milliseconds kBetweenEffects{300};
}  // namespace

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

nanoseconds Estimate::Kind::mean() const {
  return tried > 0 ? spent / static_cast<std::int64_t>(tried) : nanoseconds(0);
}

nanoseconds Estimate::guess(std::size_t part, std::size_t method) const {
  const auto& calls = kinds_[static_cast<std::size_t>(Part::calls)];
  if (part == static_cast<std::size_t>(Part::effect)) return 2 * (kBetweenEffects + calls.at(method).mean());
  nanoseconds dearest{0};
  for (const MethodInfo& other : methods())
    if (other.speed == methods()[method].speed)
      dearest = std::max(dearest, calls.at(static_cast<std::size_t>(other.method)).mean());
  return dearest;
}

nanoseconds Estimate::left() const {
  nanoseconds sum{0};
  for (std::size_t part = 0; part < kinds_.size(); ++part) {
    for (std::size_t method = 0; method < kinds_[part].size(); ++method) {
      const Kind& kind = kinds_[part][method];
      sum += (kind.tried > 0 ? kind.mean() : guess(part, method)) * static_cast<std::int64_t>(kind.left);
    }
  }
  return sum;
}

}  // namespace weir::latency
