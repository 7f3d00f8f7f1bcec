// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <algorithm>

namespace weir::control {
namespace {

/// Who uses that share of what it got while it was held, and is held no more, has what it wants. Less: it
/// wants less now, and what it wanted then was not seen.
constexpr double kStill = 0.8;

}  // namespace

bool Need::has_enough(const policy::View& look) const { return look.use >= kStill * held_at_; }

void Need::see(const policy::View& look) {
  held_ = look.held > policy::kNoticed;
  used_ = std::max(used_, std::min(look.use, look.hard));
  if (held_) {
    const double wanted = look.held < 1 ? look.use / (1 - look.held) : look.hard;
    estimated_ = std::max(estimated_, std::min(wanted, look.hard));
    held_at_ = std::max(held_at_, std::min(look.use, look.limit));
  } else if (has_enough(look)) {
    estimated_ = held_at_ = 0;
  }
}

void Need::see_later(const policy::View& look) {
  if (!held_) return;
  held_ = look.held > policy::kNoticed;
  if (held_ || !has_enough(look)) return;
  used_ = std::max(used_, std::min(look.use, estimated_));
  estimated_ = held_at_ = 0;
}

double Need::most() const { return std::max(used_, estimated_); }

}  // namespace weir::control
