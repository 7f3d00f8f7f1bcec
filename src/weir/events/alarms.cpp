// SPDX-License-Identifier: MIT
#include "weir/events/alarms.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <utility>

#include "weir/sample/parse.h"

namespace weir::events {
namespace {

using cgroup::PsiShare;
using std::chrono::nanoseconds;

struct TriggerInfo {
  Source source;
  PsiShare share;
  Condition condition;
};
constexpr std::array<TriggerInfo, 4> kTriggerTable = {{
    {Source::cpu_pressure, PsiShare::some, psi_cpu},
    {Source::memory_pressure, PsiShare::some, psi_memory},
    {Source::io_pressure, PsiShare::some, psi_io},
    {Source::io_pressure, PsiShare::full, io_full},
}};

/// A trigger of a short window costs a kernel thread for each cgroup; the others are judged by frames.
constexpr std::size_t kMostWithTriggers = 512;
/// Each trigger costs who removes its cgroup a grace period of RCU, some 20 ms: what comes and goes has none.
constexpr std::chrono::seconds kSettled{3};
/// Of a slow trigger: the first, and the one into which that is carried over.
constexpr int kWindowsNotBelieved = 3;
constexpr std::uint32_t kOnce = EPOLLPRI | EPOLLONESHOT;

double milliseconds(std::uint64_t ns) { return std::round(static_cast<double>(ns) / 1e4) / 100; }

}  // namespace

Result<Alarms> Alarms::open(Sources sources) {
  if (sources.onset != nullptr) WEIR_CHECK(sources.waiting.add(sources.onset->fd(), EPOLLIN, kFirstNumber));
  return Alarms(sources);
}

Moment Alarms::then(std::uint64_t monotonic) const {
  const Moment moment = now();
  const nanoseconds at(static_cast<std::int64_t>(monotonic));
  return {.at = at, .time = moment.time - (moment.at - at)};
}

Alarms::Watched& Alarms::begin_watching(CgroupId cgroup, const cgroup::Dir& dir) {
  Watched& watched = watched_[cgroup];
  watched.cgroup = cgroup;
  watched.serial = ++last_serial_;
  watched.dir = &dir;
  by_serial_[watched.serial] = cgroup;
  return watched;
}

void Alarms::arm_triggers(Watched& watched, const Detector& detector) {
  if (!sources_.window) return;
  watched.triggers_fired = false;
  for (std::size_t n = 0; n < kTriggers; ++n) {
    const TriggerInfo& info = kTriggerTable[n];
    auto& trigger = watched.triggers[n];
    if (trigger && !trigger->fired) continue;
    if (detector.lasts(watched.cgroup, info.condition)) {
      watched.triggers_fired = true;
      continue;
    }
    if (trigger) {
      trigger->fired = false;
      sources_.waiting.rearm(trigger->psi.fd(), kOnce, number_of(watched, n));
      continue;
    }
    const cgroup::PsiWindow& window = *sources_.window;
    auto psi = cgroup::PsiTrigger::open(*watched.dir, file_of(info.source), info.share, window);
    if (!psi) continue;
    const nanoseconds blind = window.is_slow() ? kWindowsNotBelieved * window.window : nanoseconds(0);
    trigger.emplace(Trigger{.psi = std::move(*psi), .believed_from = now().at + blind});
    (void)sources_.waiting.add(trigger->psi.fd(), kOnce, number_of(watched, n));
  }
}

void Alarms::add_host(Detector& detector) {
  arm_triggers(begin_watching(CgroupId(0), sources_.root), detector);
}

void Alarms::add(const Subject& subject, Begin begin, Detector& detector) {
  auto dir = cgroup::open_path(sources_.root, subject.container.cgroup);
  if (!dir || (*dir)->id() != subject.cgroup_id) return;
  if (sources_.onset != nullptr) (void)sources_.onset->watch(subject.cgroup_id);
  Watched& watched = begin_watching(subject.cgroup_id, **dir);
  watched.own = std::move(*dir);
  watched.subject = subject;
  if (begin == Begin::just_started) detector.expect(subject, Source::memory_events, now());
  if (sources_.notices) {
    if (auto file = watched.dir->keep(file_of(Source::memory_events), cgroup::Access::read)) {
      watched.memory = std::move(*file);
      (void)sources_.waiting.add(watched.memory->fd(), kOnce, number_of(watched, kMemory));
    }
  }
  if (with_triggers_ < kMostWithTriggers) {
    ++with_triggers_;
    watched.has_triggers = true;
    watched.triggers_fired = true;  // armed by the next rearm()
    if (begin == Begin::just_started) watched.triggers_from = now().at + kSettled;
  }
}

void Alarms::rename(const Subject& subject) {
  const auto found = watched_.find(subject.cgroup_id);
  if (found != watched_.end()) found->second.subject = subject;
}

void Alarms::remove(CgroupId cgroup) {
  const auto found = watched_.find(cgroup);
  if (found == watched_.end()) return;
  if (found->second.has_triggers) --with_triggers_;
  by_serial_.erase(found->second.serial);
  watched_.erase(found);
  if (sources_.onset != nullptr) sources_.onset->ignore(cgroup);
}

void Alarms::read_memory(Watched& watched, Detector& detector, std::vector<Event>& events) {
  std::array<char, 512> buffer{};
  Sample sample;
  const auto text = watched.memory->read_into(buffer);
  if (!text || !sample::parse(Source::memory_events, *text, sample)) return;
  const Moment moment = now();
  sample.read_at[index(Source::memory_events)] = moment.at.count();
  std::ranges::move(detector.see(*watched.subject, sample, moment), std::back_inserter(events));
  watched.memory_fired = true;
}

void Alarms::take_bpf(Detector& detector, std::vector<Event>& events) {
  onsets_.clear();
  sources_.onset->drain(onsets_);
  for (const onset_event& onset : onsets_) {
    const auto found = watched_.find(CgroupId(onset.cgroup));
    if (onset.kind == ONSET_KILL) {
      const std::string_view comm(onset.comm, sizeof onset.comm);
      detector.see(Victim{.cgroup = CgroupId(onset.cgroup),
                          .limit = CgroupId(onset.limit_cgroup),
                          .comm = std::string(comm.substr(0, comm.find('\0'))),
                          .pid = onset.pid,
                          .at = nanoseconds(static_cast<std::int64_t>(onset.time_ns))});
      if (found != watched_.end() && found->second.memory) read_memory(found->second, detector, events);
    } else if (found != watched_.end() && found->second.subject) {
      std::ranges::move(detector.begin(&*found->second.subject, throttled,
                                       {{"held_ms", milliseconds(onset.left_ns)},
                                        {"period_ms", milliseconds(onset.period_ns)}},
                                       then(onset.time_ns)),
                        std::back_inserter(events));
    }
  }
}

void Alarms::fired(Watched& watched, std::size_t trigger, std::uint32_t what, Detector& detector,
                   std::vector<Event>& events) {
  if (!watched.triggers[trigger]) return;
  const bool believed = now().at >= watched.triggers[trigger]->believed_from;
  watched.triggers_fired = watched.triggers[trigger]->fired = true;
  // One of a short window costs a kernel thread: it is made anew once it is needed.
  if (!sources_.window->is_slow()) watched.triggers[trigger].reset();
  if (!believed || ((what & EPOLLERR) != 0 && !watched.dir->alive())) return;
  decltype(Event::details) details;
  details.emplace_back("at_least_percent", 100.0 * static_cast<double>(sources_.window->stalled.count()) /
                                               static_cast<double>(sources_.window->window.count()));
  const Subject* subject = watched.subject ? &*watched.subject : nullptr;
  std::ranges::move(detector.begin(subject, kTriggerTable[trigger].condition, std::move(details), now()),
                    std::back_inserter(events));
}

std::vector<Event> Alarms::take(std::span<const Ready> ready, Detector& detector) {
  std::vector<Event> events;
  if (sources_.onset != nullptr) take_bpf(detector, events);  // a victim before its kill is counted
  for (const Ready& each : ready) {
    if (each.number < kFirstNumber) continue;
    const auto cgroup = by_serial_.find((each.number - kFirstNumber) / kFiles);
    if (cgroup == by_serial_.end()) continue;
    Watched& watched = watched_.at(cgroup->second);
    const std::size_t file = (each.number - kFirstNumber) % kFiles;
    if (file == kMemory)
      read_memory(watched, detector, events);
    else
      fired(watched, file, each.events, detector, events);
  }
  return events;
}

void Alarms::rearm(const Detector& detector) {
  for (auto& [cgroup, watched] : watched_) {
    if (watched.triggers_fired && watched.triggers_from <= now().at) arm_triggers(watched, detector);
    if (!std::exchange(watched.memory_fired, false)) continue;
    sources_.waiting.rearm(watched.memory->fd(), kOnce, number_of(watched, kMemory));
  }
}

}  // namespace weir::events
