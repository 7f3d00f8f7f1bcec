// SPDX-License-Identifier: MIT
#pragma once
// Detector: frames in, events out. Each condition has a threshold at which it begins and a lower one below
// which it must stay for a while until it ends, so that what hovers about a threshold is one event and not
// hundreds. Rates are taken over the files' own read times. Pure: no clock, no file.

#include <array>
#include <chrono>
#include <map>
#include <vector>

#include "weir/model/event.h"
#include "weir/model/frame.h"

namespace weir::events {

/// Shares are 0..1 of the time.
struct Threshold {
  double begin = 0, end = 0;
};
struct Thresholds {
  Threshold psi{.begin = 0.20, .end = 0.10};        ///< `some` of a resource
  Threshold throttled{.begin = 0.25, .end = 0.10};  ///< periods in which it was throttled
  Threshold io{.begin = 0.20, .end = 0.10};         ///< `full` of io
  /// How long a condition must be below its end.
  std::chrono::nanoseconds calm = std::chrono::seconds(5);
};

class Detector {
 public:
  explicit Detector(Thresholds thresholds = {}) : thresholds_(thresholds) {}

  /// What this frame tells against the one before. A subject that is new is only remembered.
  std::vector<Event> see(const Frame& frame);

 private:
  /// What can last: one of the kinds, of one resource where psi_spike.
  enum Condition : std::uint8_t { psi_cpu, psi_memory, psi_io, throttled, over_high, at_max, io_full };
  static constexpr std::size_t kConditions = 7;
  struct State {
    bool on = false;
    std::chrono::nanoseconds began{0}, quiet_since{0};  ///< CLOCK_MONOTONIC; quiet_since 0: not quiet
    double worst = 0;
    std::uint64_t count = 0;  ///< of events, where they are counted
  };
  struct Target {
    Sample before;
    std::array<State, kConditions> states;
    std::uint64_t frame = 0;  ///< the last that it was in
  };

  void see(const Subject* subject, Target& target, const Sample& now, const Frame& frame,
           std::vector<Event>& events);
  void judge(Condition condition, double share, const Threshold& threshold, const Subject* subject,
             Target& target, const Frame& frame, std::vector<Event>& events) const;
  void count(Condition condition, std::uint64_t more, const Subject* subject, Target& target,
             const Frame& frame, std::vector<Event>& events) const;
  static Event make(Condition condition, EventState state, const Subject* subject, const State& now,
                    const Frame& frame);
  static Event kill(const Subject* subject, std::int64_t kills, const Frame& frame);
  void see_other_kills(const Frame& frame, std::vector<Event>& events);
  void end(Condition condition, const Subject* subject, Target& target, const Frame& frame,
           std::vector<Event>& events) const;

  Thresholds thresholds_;
  Target host_;
  std::int64_t kills_ahead_ = 0;   ///< kills that containers told and the host has not counted yet
  std::int64_t ahead_before_ = 0;  ///< the same after the last frame
  std::map<CgroupId, Target> targets_;
};

}  // namespace weir::events
