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

/// A second, less what a timer may be late or early.
constexpr std::chrono::milliseconds kLeastSpan{900};
/// A kill is counted within a frame or two.
constexpr std::chrono::seconds kVictimKept{5};

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

Event Detector::make(Condition condition, EventState state, const Subject* subject, Moment moment) {
  Event event{
      .kind = EventKind::psi_spike, .state = state, .time = moment.time, .subject = {}, .details = {}};
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
  return event;
}

void Detector::tell_worst(Event& event, Condition condition, const State& state) {
  if (condition == over_high || condition == at_max)
    event.details.emplace_back("times", static_cast<std::int64_t>(state.count));
  else
    event.details.emplace_back(event.state == EventState::end ? "worst_percent" : "percent",
                               percent(state.worst));
}

void Detector::end(Condition condition, const Subject* subject, Target& target, Moment moment,
                   std::vector<Event>& events) const {
  State& state = target.states[condition];
  if (state.quiet_since.count() == 0) state.quiet_since = moment.at;
  if (moment.at - state.quiet_since < thresholds_.calm) return;
  events.push_back(make(condition, EventState::end, subject, moment));
  tell_worst(events.back(), condition, state);
  events.back().details.emplace_back("lasted_ms", (moment.at - state.began).count() / 1'000'000);
  state = {};
}

void Detector::judge(Condition condition, double share, const Threshold& threshold, const Subject* subject,
                     Target& target, Moment moment, std::vector<Event>& events) const {
  State& state = target.states[condition];
  if (!state.on) {
    if (share < threshold.begin) return;
    state = {.on = true, .began = moment.at, .quiet_since = {}, .worst = share, .count = 0};
    events.push_back(make(condition, EventState::begin, subject, moment));
    tell_worst(events.back(), condition, state);
    return;
  }
  state.worst = std::max(state.worst, share);
  if (share < threshold.end)
    end(condition, subject, target, moment, events);
  else
    state.quiet_since = nanoseconds(0);
}

void Detector::count(Condition condition, std::uint64_t more, const Subject* subject, Target& target,
                     Moment moment, std::vector<Event>& events) const {
  State& state = target.states[condition];
  state.count += more;
  if (more > 0 && !state.on) {
    state.on = true;
    state.began = moment.at;
    events.push_back(make(condition, EventState::begin, subject, moment));
    tell_worst(events.back(), condition, state);
  } else if (more > 0) {
    state.quiet_since = nanoseconds(0);
  } else if (state.on) {
    end(condition, subject, target, moment, events);
  }
}

void Detector::see(const Subject* subject, Target& target, const Sample& now, Moment moment,
                   std::vector<Event>& events) {
  const Sample before = target.before;
  take_newer(target.before, now);
  constexpr std::pair<Condition, Metric> kPressures[] = {
      {psi_cpu, Metric::cpu_some}, {psi_memory, Metric::memory_some}, {psi_io, Metric::io_some}};
  for (const auto& [condition, metric] : kPressures)
    if (const auto share = stalled(before, now, metric))
      judge(condition, *share, thresholds_.psi, subject, target, moment, events);
  if (const auto share = stalled(before, now, Metric::io_full))
    judge(io_full, *share, thresholds_.io, subject, target, moment, events);

  // Both counters come from one file: a share is known where it was read again.
  if (rate(before, now, Metric::cpu_periods)) {
    const auto periods = grown(before, now, Metric::cpu_periods),
               held = grown(before, now, Metric::cpu_throttled_periods);
    const double share = periods && held ? static_cast<double>(*held) / static_cast<double>(*periods) : 0.0;
    judge(throttled, share, thresholds_.throttled, subject, target, moment, events);
  }
  if (rate(before, now, Metric::memory_high))
    count(over_high, grown(before, now, Metric::memory_high).value_or(0), subject, target, moment, events);
  if (rate(before, now, Metric::memory_max))
    count(at_max, grown(before, now, Metric::memory_max).value_or(0), subject, target, moment, events);
  if (!rate(before, now, Metric::memory_oom_kill)) return;  // read before what is known
  const auto kills = static_cast<std::int64_t>(grown(before, now, Metric::memory_oom_kill).value_or(0));
  kills_ahead_ += subject == nullptr ? -kills : kills;
  if (subject != nullptr && kills > 0) kill(subject, kills, moment, events);
}

/// One event for each victim that is known, one for the rest.
void Detector::kill(const Subject* subject, std::int64_t kills, Moment moment, std::vector<Event>& events) {
  const CgroupId cgroup = subject == nullptr ? CgroupId(0) : subject->cgroup_id;
  while (kills > 0) {
    Event event{.kind = EventKind::oom_kill, .time = moment.time, .subject = {}, .details = {}};
    if (subject != nullptr) event.subject = *subject;
    const auto victim = std::ranges::find(victims_, cgroup, &Victim::cgroup);
    const std::int64_t told = victim == victims_.end() ? kills : 1;
    event.details.emplace_back("kills", told);
    if (victim != victims_.end()) {
      event.details.emplace_back("victim_comm", victim->comm);
      event.details.emplace_back("victim_pid", victim->pid);
      event.details.emplace_back("limit_of", std::string(victim->limit == CgroupId(0) ? "host"
                                                         : victim->limit == cgroup    ? "container"
                                                                                      : "another cgroup"));
      victims_.erase(victim);
    }
    events.push_back(std::move(event));
    kills -= told;
  }
}

Detector::Target& Detector::target_of(const Subject* subject) {
  if (subject == nullptr) return host_;
  Target& target = targets_[subject->cgroup_id];
  target.frame = std::max(target.frame, number_ + 2);  // one that is too new for the frame to come is kept
  return target;
}

std::vector<Event> Detector::begin(const Subject* subject, Condition condition,
                                   decltype(Event::details) details, Moment moment) {
  State& state = target_of(subject).states[condition];
  state.quiet_since = nanoseconds(0);
  if (state.on) return {};
  state = {.on = true, .began = moment.at, .quiet_since = {}, .worst = 0, .count = 0};
  Event event = make(condition, EventState::begin, subject, moment);
  std::ranges::move(details, std::back_inserter(event.details));
  return {std::move(event)};
}

std::vector<Event> Detector::see(const Subject& subject, const Sample& sample, Moment moment) {
  std::vector<Event> events;
  see(&subject, target_of(&subject), sample, moment, events);
  return events;
}

void Detector::expect(const Subject& subject, Source source, Moment moment) {
  Sample zero;
  for (const MetricInfo& metric : metrics_of(source)) zero.set(metric.metric, 0, Known::zero);
  zero.read_at[index(source)] = moment.at.count();
  take_newer(target_of(&subject).before, zero);
}

bool Detector::lasts(CgroupId cgroup, Condition condition) const {
  const auto found = targets_.find(cgroup);
  const Target* target = cgroup == CgroupId(0) ? &host_ : found == targets_.end() ? nullptr : &found->second;
  return target != nullptr && target->states[condition].on;
}

/// The host counts every kill, the containers' too, but is read a little earlier. What no container has
/// claimed a frame later was none's.
void Detector::see_other_kills(Moment moment, std::vector<Event>& events) {
  if (kills_ahead_ < 0 && ahead_before_ < 0) {
    const std::int64_t kills = -std::max(kills_ahead_, ahead_before_);
    kill(nullptr, kills, moment, events);
    kills_ahead_ += kills;
  } else if (kills_ahead_ > 0 && ahead_before_ > 0) {
    kills_ahead_ = 0;  // one container within another: both told it
  }
  ahead_before_ = kills_ahead_;
}

std::vector<Event> Detector::see(const Frame& frame) {
  // At ten frames a second each would have one period of cpu.max in it.
  if (seen_.count() != 0 && frame.at - seen_ < kLeastSpan && frame.at >= seen_) return {};
  std::vector<Event> events;
  const Moment moment{.at = frame.at, .time = frame.time};
  if (frame.number <= number_)  // another process samples now, and counts anew
    for (auto& [cgroup, target] : targets_) target.frame = 0;
  number_ = frame.number;
  seen_ = frame.at;
  see(nullptr, host_, frame.host, moment, events);
  for (std::size_t n = 0; n < frame.subjects.size(); ++n) {
    Target& target = targets_[frame.subjects[n].cgroup_id];
    see(&frame.subjects[n], target, frame.samples[n], moment, events);
    target.frame = frame.number;
  }
  see_other_kills(moment, events);
  std::erase_if(targets_, [&](const auto& each) { return each.second.frame < frame.number; });
  std::erase_if(victims_, [&](const Victim& each) { return frame.at - each.at > kVictimKept; });
  return events;
}

}  // namespace weir::events
