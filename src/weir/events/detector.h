// SPDX-License-Identifier: MIT
#pragma once
// Detector: frames in, events out. Each condition has a threshold at which it begins and a lower one below
// which it must stay for a while until it ends, so that what hovers about a threshold is one event and not
// hundreds. Rates are taken over the files' own read times. What the kernel tells by itself comes in between
// and is judged by the same states. Pure: no clock, no file.

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>
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

/// What can last: one of the kinds, of one resource where psi_spike.
enum Condition : std::uint8_t { psi_cpu, psi_memory, psi_io, throttled, over_high, at_max, io_full };
inline constexpr std::size_t kConditions = 7;

struct Moment {
  std::chrono::nanoseconds at{0};    ///< CLOCK_MONOTONIC
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
};

/// A process that the kernel chose to kill for want of memory.
struct Victim {
  CgroupId cgroup;   ///< the container that it was in; 0: none
  CgroupId limit;    ///< whose memory limit was the reason; 0: the host's memory
  std::string comm;  ///< hostile bytes
  std::int64_t pid = 0;
  std::chrono::nanoseconds at{0};  ///< CLOCK_MONOTONIC
};

class Detector {
 public:
  explicit Detector(Thresholds thresholds = {}) : thresholds_(thresholds) {}

  /// What this frame tells against the one before; of one that comes within a second nothing is told. A
  /// subject that is new is only remembered.
  std::vector<Event> see(const Frame& frame);

  // What comes between the frames (alarms.h). `subject` null: the host.

  /// A condition that has begun, as the kernel says; it ends by frames. Empty where it lasts already.
  std::vector<Event> begin(const Subject* subject, Condition condition, decltype(Event::details) details,
                           Moment moment);
  /// One file of a container that was read in between.
  std::vector<Event> see(const Subject& subject, const Sample& sample, Moment moment);
  /// From now on counted from zero: it has just been made.
  void expect(const Subject& subject, Source source, Moment moment);
  /// Told with the kill, which is counted a little later.
  void see(Victim victim) { victims_.push_back(std::move(victim)); }
  [[nodiscard]] bool lasts(CgroupId cgroup, Condition condition) const;

 private:
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

  Target& target_of(const Subject* subject);
  void see(const Subject* subject, Target& target, const Sample& now, Moment moment,
           std::vector<Event>& events);
  void judge(Condition condition, double share, const Threshold& threshold, const Subject* subject,
             Target& target, Moment moment, std::vector<Event>& events) const;
  void count(Condition condition, std::uint64_t more, const Subject* subject, Target& target, Moment moment,
             std::vector<Event>& events) const;
  static Event make(Condition condition, EventState state, const Subject* subject, Moment moment);
  static void tell_worst(Event& event, Condition condition, const State& state);
  void kill(const Subject* subject, std::int64_t kills, Moment moment, std::vector<Event>& events);
  void see_other_kills(Moment moment, std::vector<Event>& events);
  void end(Condition condition, const Subject* subject, Target& target, Moment moment,
           std::vector<Event>& events) const;

  Thresholds thresholds_;
  Target host_;
  std::int64_t kills_ahead_ = 0;   ///< kills that containers told and the host has not counted yet
  std::int64_t ahead_before_ = 0;  ///< the same after the last frame
  std::map<CgroupId, Target> targets_;
  std::deque<Victim> victims_;  ///< not counted yet
  std::uint64_t number_ = 0;    ///< of the last frame
  std::chrono::nanoseconds seen_{0};
};

}  // namespace weir::events
