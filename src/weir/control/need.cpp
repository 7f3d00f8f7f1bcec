// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <algorithm>

namespace weir::control {
namespace {

/// Who uses so much more than where it was held has what it wants.
constexpr double kMore = 1.05;

}  // namespace

bool Need::has_enough(const policy::View& look) const { return look.use > kMore * held_at_; }

void Need::see(const policy::View& look) {
  held_ = look.held > policy::kNoticed;
  used_ = std::max(used_, std::min(look.use, look.hard));
  if (held_) {
    const double wanted = look.held < 1 ? look.use / (1 - look.held) : look.hard;
    estimated_ = std::max(estimated_, std::min(wanted, look.hard));
    held_at_ = std::max(held_at_, look.use);
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
