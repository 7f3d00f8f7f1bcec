// SPDX-License-Identifier: MIT
#pragma once
// Need: how much a container needs in some time, by what it is seen to use. What its limit holds back is not
// seen: there it is estimated, until it is seen to use as much as that limit without being held, be it soon
// after that time. Pure.

#include "weir/policy/view.h"

namespace weir::control {

class Need {
 public:
  /// One look, in time order.
  void see(const policy::View& look);
  /// One look after the time that counts: what was held back at its end may become known by it.
  void see_later(const policy::View& look);
  /// Whether the limit holds it back still, so that what it needs may become known.
  [[nodiscard]] bool is_held() const { return held_; }
  /// In the unit of the views, at most their hard limit; 0 before any look.
  [[nodiscard]] double most() const;

 private:
  /// Of a look that is not held.
  [[nodiscard]] bool has_enough(const policy::View& look) const;

  double used_ = 0;       ///< at most
  double estimated_ = 0;  ///< at most, since it was last seen to have enough
  double held_at_ = 0;  ///< the most that it got while it was held: part of that time it may have had enough
  bool held_ = false;   ///< at the last look
};

}  // namespace weir::control
