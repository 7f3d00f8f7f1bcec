// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <algorithm>
#include <utility>

namespace weir::control {
namespace {

/// Who uses that share of what it got while it was held, and is held no more, has what it wants. Less: it
/// wants less now, and what it wanted then was not seen.
constexpr double kStill = 0.8;

constexpr std::chrono::duration<double> kLongest{5}, kUntilLower{1};

std::chrono::duration<double> span_of(const Managed& managed) {
  const auto& parameters = managed.policy->parameters;
  for (std::size_t n = 0; n < parameters.size(); ++n)
    if (parameters[n].name == "calm")
      return std::min(kLongest, std::chrono::duration<double>(managed.parameters[n]) + kUntilLower);
  return kLongest;
}

}  // namespace

Need::Need(const Managed& managed) : span_(span_of(managed)) {}

bool Need::has_enough(const policy::View& look) const { return look.use >= kStill * held_at_; }

void Need::see(const policy::View& look, std::chrono::nanoseconds after) {
  const bool first = !std::exchange(seen_, true);
  if (first || after <= span_)
    see_now(look);
  else if (held_)
    see_later(look);
}

void Need::see_now(const policy::View& look) {
  held_ = look.held > policy::kNoticed;
  used_ = std::max(used_, std::min(look.use, look.hard));
  if (held_) {
    const double wanted = look.held < 1 ? look.use / (1 - look.held) : look.hard;
    estimated_ = std::max(estimated_, std::min(wanted, look.hard));
    // Use above the limit is of after a raise, in the same look.
    held_at_ = std::max(held_at_, std::min(look.use, look.limit));
  } else if (has_enough(look)) {
    estimated_ = held_at_ = 0;
  }
}

void Need::see_later(const policy::View& look) {
  held_ = look.held > policy::kNoticed;
  if (held_ || !has_enough(look)) return;
  used_ = std::max(used_, std::min(look.use, estimated_));
  estimated_ = held_at_ = 0;
}

double Need::most() const { return std::max(used_, estimated_); }

}  // namespace weir::control
