// SPDX-License-Identifier: MIT
#include "weir/events/detector.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace weir::events {
namespace {

using std::chrono::nanoseconds;

double percent(double share) { return std::round(share * 1000) / 10; }

/// Of stall time: microseconds a second are a share of the time.
std::optional<double> stalled(const Sample& before, const Sample& now, Metric metric) {
  const auto per_second = rate(before, now, metric);
  return per_second ? std::optional(*per_second / 1e6) : std::nullopt;
}

/// Growth of a counter; nullopt where it is unknown or did not grow.
std::optional<std::uint64_t> grown(const Sample& before, const Sample& now, Metric metric) {
  const auto from = before.get(metric), to = now.get(metric);
  return from && to && *to > *from ? std::optional(*to - *from) : std::nullopt;
}

}  // namespace

Event Detector::make(Condition condition, EventState state, const Subject* subject, const State& now,
                     const Frame& frame) {
  Event event{.kind = EventKind::psi_spike, .state = state, .time = frame.time, .subject = {}, .details = {}};
  if (subject != nullptr) event.subject = *subject;
  switch (condition) {
    case psi_cpu:
    case psi_memory:
    case psi_io:
      event.details.emplace_back("resource", std::string(condition == psi_cpu      ? "cpu"
                                                         : condition == psi_memory ? "memory"
                                                                                   : "io"));
      break;
    case throttled:
      event.kind = EventKind::cpu_throttled;
      break;
    case over_high:
      event.kind = EventKind::memory_high;
      break;
    case at_max:
      event.kind = EventKind::memory_max;
      break;
    case io_full:
      event.kind = EventKind::io_stall;
      break;
  }
  const bool counted = condition == over_high || condition == at_max;
  if (counted)
    event.details.emplace_back("times", static_cast<std::int64_t>(now.count));
  else
    event.details.emplace_back(state == EventState::end ? "worst_percent" : "percent", percent(now.worst));
  if (state == EventState::end)
    event.details.emplace_back("lasted_ms", (frame.at - now.began).count() / 1'000'000);
  return event;
}

void Detector::end(Condition condition, const Subject* subject, Target& target, const Frame& frame,
                   std::vector<Event>& events) const {
  State& state = target.states[condition];
  if (state.quiet_since.count() == 0) state.quiet_since = frame.at;
  if (frame.at - state.quiet_since < thresholds_.calm) return;
  events.push_back(make(condition, EventState::end, subject, state, frame));
  state = {};
}

void Detector::judge(Condition condition, double share, const Threshold& threshold, const Subject* subject,
                     Target& target, const Frame& frame, std::vector<Event>& events) const {
  State& state = target.states[condition];
  if (!state.on) {
    if (share < threshold.begin) return;
    state = {.on = true, .began = frame.at, .quiet_since = {}, .worst = share, .count = 0};
    events.push_back(make(condition, EventState::begin, subject, state, frame));
    return;
  }
  state.worst = std::max(state.worst, share);
  if (share < threshold.end)
    end(condition, subject, target, frame, events);
  else
    state.quiet_since = nanoseconds(0);
}

void Detector::count(Condition condition, std::uint64_t more, const Subject* subject, Target& target,
                     const Frame& frame, std::vector<Event>& events) const {
  State& state = target.states[condition];
  state.count += more;
  if (more > 0 && !state.on) {
    state.on = true;
    state.began = frame.at;
    events.push_back(make(condition, EventState::begin, subject, state, frame));
  } else if (more > 0) {
    state.quiet_since = nanoseconds(0);
  } else if (state.on) {
    end(condition, subject, target, frame, events);
  }
}

void Detector::see(const Subject* subject, Target& target, const Sample& now, const Frame& frame,
                   std::vector<Event>& events) {
  const Sample& before = target.before;
  constexpr std::pair<Condition, Metric> kPressures[] = {
      {psi_cpu, Metric::cpu_some}, {psi_memory, Metric::memory_some}, {psi_io, Metric::io_some}};
  for (const auto& [condition, metric] : kPressures)
    if (const auto share = stalled(before, now, metric))
      judge(condition, *share, thresholds_.psi, subject, target, frame, events);
  if (const auto share = stalled(before, now, Metric::io_full))
    judge(io_full, *share, thresholds_.io, subject, target, frame, events);

  // Both counters come from one file: a share is known where it was read again.
  if (rate(before, now, Metric::cpu_periods)) {
    const auto periods = grown(before, now, Metric::cpu_periods),
               held = grown(before, now, Metric::cpu_throttled_periods);
    const double share = periods && held ? static_cast<double>(*held) / static_cast<double>(*periods) : 0.0;
    judge(throttled, share, thresholds_.throttled, subject, target, frame, events);
  }
  if (rate(before, now, Metric::memory_high))
    count(over_high, grown(before, now, Metric::memory_high).value_or(0), subject, target, frame, events);
  if (rate(before, now, Metric::memory_max))
    count(at_max, grown(before, now, Metric::memory_max).value_or(0), subject, target, frame, events);
  const auto kills = static_cast<std::int64_t>(grown(before, now, Metric::memory_oom_kill).value_or(0));
  kills_ahead_ += subject == nullptr ? -kills : kills;
  if (subject != nullptr && kills > 0) events.push_back(kill(subject, kills, frame));
}

Event Detector::kill(const Subject* subject, std::int64_t kills, const Frame& frame) {
  Event event{.kind = EventKind::oom_kill, .time = frame.time, .subject = {}, .details = {}};
  if (subject != nullptr) event.subject = *subject;
  event.details.emplace_back("kills", kills);
  return event;
}

/// The host counts every kill, the containers' too, but is read a little earlier. What no container has
/// claimed a frame later was none's.
void Detector::see_other_kills(const Frame& frame, std::vector<Event>& events) {
  if (kills_ahead_ < 0 && ahead_before_ < 0) {
    const std::int64_t kills = -std::max(kills_ahead_, ahead_before_);
    events.push_back(kill(nullptr, kills, frame));
    kills_ahead_ += kills;
  } else if (kills_ahead_ > 0 && ahead_before_ > 0) {
    kills_ahead_ = 0;  // one container within another: both told it
  }
  ahead_before_ = kills_ahead_;
}

std::vector<Event> Detector::see(const Frame& frame) {
  std::vector<Event> events;
  if (host_.frame != 0) see(nullptr, host_, frame.host, frame, events);
  host_.before = frame.host;
  host_.frame = frame.number;
  for (std::size_t n = 0; n < frame.subjects.size(); ++n) {
    const auto [target, is_new] = targets_.try_emplace(frame.subjects[n].cgroup_id);
    if (!is_new) see(&frame.subjects[n], target->second, frame.samples[n], frame, events);
    target->second.before = frame.samples[n];
    target->second.frame = frame.number;
  }
  see_other_kills(frame, events);
  std::erase_if(targets_, [&](const auto& each) { return each.second.frame != frame.number; });
  return events;
}

}  // namespace weir::events
