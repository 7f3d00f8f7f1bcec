// SPDX-License-Identifier: MIT
#pragma once
// Need: how much a container needs in some time, by what it is seen to use. What its limit holds back is not
// seen: there it is estimated, until it is seen to use as much as that limit without being held, be it soon
// after that time. Pure.

#include <chrono>

#include "weir/control/config.h"
#include "weir/policy/view.h"

namespace weir::control {

class Need {
 public:
  /// What a limit that is decided now is to cover: what is needed for as long as a raise stays by the policy
  /// of `managed` (its calm and a second), five seconds at most.
  explicit Need(const Managed& managed);

  /// One look, in time order; `after` that decision.
  void see(const policy::View& look, std::chrono::nanoseconds after);
  /// Whether the limit holds it back still, so that what it needs may become known.
  [[nodiscard]] bool is_held() const { return held_; }
  /// In the unit of the views, at most their hard limit; 0 before any look.
  [[nodiscard]] double most() const;

 private:
  /// A look of that time, and one after it: by that only what was held back at the end may become known.
  void see_now(const policy::View& look);
  void see_later(const policy::View& look);
  /// Of a look that is not held.
  [[nodiscard]] bool has_enough(const policy::View& look) const;

  std::chrono::duration<double> span_;
  double used_ = 0;       ///< at most
  double estimated_ = 0;  ///< at most, since it was last seen to have enough
  double held_at_ = 0;    ///< at most what it got while it was held
  bool held_ = false;     ///< at the last look
  bool seen_ = false;     ///< the first look counts, however late
};

}  // namespace weir::control
