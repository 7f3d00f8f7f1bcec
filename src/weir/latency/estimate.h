// SPDX-License-Identifier: MIT
#pragma once
// Estimate: how long the rest of a plan takes, from what each kind of step has cost so far. Pure.

#include <array>
#include <chrono>
#include <span>

#include "weir/latency/plan.h"

namespace weir::latency {

class Estimate {
 public:
  explicit Estimate(std::span<const Step> plan);
  /// A step is over; zero for one that was skipped.
  void done(const Step& step, std::chrono::nanoseconds cost);
  /// A kind of step that was not tried yet is guessed: a call as the dearest method of the same speed, an
  /// effect from the same method's calls.
  [[nodiscard]] std::chrono::nanoseconds left() const;

 private:
  struct Kind {
    std::size_t left = 0, tried = 0;
    std::chrono::nanoseconds spent{0};
    [[nodiscard]] std::chrono::nanoseconds mean() const;
  };
  Kind& kind(const Step& step);
  [[nodiscard]] std::chrono::nanoseconds guess(std::size_t part, std::size_t method) const;
  std::array<std::array<Kind, 6>, 2> kinds_;  ///< by Part, by Method
};

}  // namespace weir::latency
