// SPDX-License-Identifier: MIT
#pragma once
// Tracker: follows one resource of one container from look to look, and says what there is to decide by: its
// use now and of late, what held it back, since when it is calm. Fixed size; pure: time comes with the
// samples.

#include <array>
#include <chrono>
#include <optional>

#include "weir/model/frame.h"
#include "weir/policy/view.h"

namespace weir::policy {

/// Shares of the time in which its tasks did not run, as the kernel sums them up (bpf/lost_time.h).
struct Lost {
  double held_above = 0;  ///< by limits above
  double waited = 0;      ///< for a CPU that others used
};

/// What is known beside the container's own sample.
struct Around {
  double limit_above = 0;         ///< the tightest above, in the resource's unit; 0: none
  double host_busy = 0;           ///< share of the host's CPUs, or memory, in use
  std::optional<Lost> lost = {};  ///< of cpu, where the kernel is asked
};

class Tracker {
 public:
  static constexpr double kPeakHalfLife = 2;     ///< seconds
  static constexpr double kUseHalfLife = 120;    ///< of the percentiles, seconds
  static constexpr double kWorthLooking = 0.19;  ///< seconds; a look that comes sooner changes nothing

  Tracker(Resource resource, Bounds bounds) : resource_(resource), bounds_(bounds) {}

  /// A limit is in force since `at` (CLOCK_MONOTONIC). 0 in `at`: nobody knows since when.
  void limit_is(double limit, std::chrono::nanoseconds at);
  [[nodiscard]] double limit() const { return limit_; }
  /// What eases the limit is more, or less, since `at`.
  void eased_more(std::chrono::nanoseconds at) { raised_at_ = changed_at_ = at; }
  void eased_less(std::chrono::nanoseconds at) { changed_at_ = at; }

  /// A newer sample. Whether there is something new to decide by.
  bool see(const Sample& sample, const Around& around);
  /// What there is to decide by at `at`; `woken`: the kernel has told that the limit was hit.
  [[nodiscard]] View view(std::chrono::nanoseconds at, bool woken = false) const;
  [[nodiscard]] const Bounds& bounds() const { return bounds_; }
  [[nodiscard]] Resource resource() const { return resource_; }

 private:
  /// Shares of the use in steps of a 64th of the hard limit, the last one also for what is above.
  static constexpr std::size_t kSteps = 64;

  [[nodiscard]] std::optional<double> use_of(const Sample& now) const;
  void see_held(const Sample& now);
  void see_waiting(const Sample& now, const Around& around);
  void remember(double use, double seconds);
  [[nodiscard]] double percentile(double share) const;

  Resource resource_;
  Bounds bounds_;
  double limit_ = 0;
  std::chrono::nanoseconds raised_at_{0}, changed_at_{0}, held_at_{0}, seen_at_{0};
  std::optional<std::chrono::nanoseconds> held_since_;
  std::optional<Sample> before_;
  std::optional<Sample> waited_before_;  ///< when pressure was last read, which is less often
  double use_ = 0, peak_ = 0, held_ = 0, held_above_ = 0, limit_above_ = 0, pressure_ = 0, contention_ = 0,
         host_busy_ = 0;
  bool hit_ = false;  ///< in the last look
  std::array<double, kSteps> weights_{};
};

}  // namespace weir::policy
