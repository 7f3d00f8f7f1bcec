// SPDX-License-Identifier: MIT
#pragma once
// Need: how much a container needs, by what it is seen to use. What its limit holds back is not seen: there
// it is estimated, until it is seen to use more than that limit without being held. Pure.

#include "weir/policy/view.h"

namespace weir::control {

class Need {
 public:
  /// One look, in time order.
  void see(const policy::View& look);
  /// In the unit of the views, at most their hard limit; 0 before any look.
  [[nodiscard]] double most() const;

 private:
  double used_ = 0;       ///< at most
  double estimated_ = 0;  ///< at most, since it was last seen to have enough
  double held_at_ = 0;    ///< the most that it used while it was held
};

}  // namespace weir::control
