// SPDX-License-Identifier: MIT
#include "weir/control/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "weir/base/text.h"
#include "weir/cgroup/value.h"

namespace weir::control {
namespace {

using policy::Cause;
using policy::Decision;
using policy::Resource;
using policy::Verdict;
using policy::View;
using std::chrono::microseconds;

/// What was told is told again only after it was calm for that long, in seconds.
constexpr double kToldFor = 5;

}  // namespace

Action Controller::action_of(const Member& member, const Slot& slot, const View& view,
                             const Decision& decision) {
  Action action{.subject = member.subject,
                .resource = slot.managed->resource,
                .device = slot.managed->device,
                .managed = slot.managed,
                .view = view,
                .decision = decision,
                .setting = {},
                .rival = decision.cause == Cause::contention ? member.rival : std::string()};
  if (decision.limit != view.limit) {
    action.setting = to_setting(action.resource, decision.limit, action.device, slot.period);
    // What is in force afterwards is what was written, not what was meant.
    action.decision.limit = to_limit(action.resource, *action.setting).value_or(decision.limit);
  }
  add_eases(slot, action);
  action.urgent = decision.verdict == Verdict::raise && (view.woken > 0 || view.held > 0);
  return action;
}

/// What has to be written besides the limit; the decision then says what that comes to.
void Controller::add_eases(const Slot& slot, Action& action) {
  const auto period = static_cast<double>(slot.period.count());
  Decision& decision = action.decision;
  if (slot.burst_usec && decision.burst != action.view.burst) {
    // Whole microseconds below both: limit and burst together are at most the hard limit.
    constexpr double kRounding = 1e-6;
    const double room = std::min(decision.limit, action.view.hard - decision.limit);
    const double usec = std::floor(std::max(std::min(decision.burst, room), 0.0) * period + kRounding);
    decision.burst = usec / period;
    if (usec != *slot.burst_usec)
      action.eases.push_back(
          {.knob = cgroup::Knob::cpu_max_burst, .device = {}, .text = fmt::format("{:.0f}", usec)});
  }
  if (slot.weight && decision.weight != action.view.weight) {
    decision.weight = std::floor(decision.weight);
    if (decision.weight != *slot.weight)
      action.eases.push_back(
          {.knob = cgroup::Knob::cpu_weight, .device = {}, .text = fmt::format("{:.0f}", decision.weight)});
  }
}

/// Takes over what eases the limit now. False: the setting is not of that kind.
bool Controller::take_ease(Slot& slot, const cgroup::Setting& ease, std::chrono::nanoseconds at) {
  const bool burst = ease.knob == cgroup::Knob::cpu_max_burst;
  if (!burst && ease.knob != cgroup::Knob::cpu_weight) return false;
  std::optional<double>& known = burst ? slot.burst_usec : slot.weight;
  const auto value = parse_u64(ease.text);
  if (!known || !value) return true;
  const auto now = static_cast<double>(*value);
  if (now > *known)
    slot.tracker.eased_more(at);
  else if (now < *known)
    slot.tracker.eased_less(at);
  known = now;
  return true;
}

std::vector<Action> Controller::add(const Subject& subject, const Entry& entry,
                                    const std::vector<Present>& present, Moment moment) {
  std::vector<Action> actions;
  Member member{.subject = subject, .priority = entry.priority, .slots = {}, .lost = {}, .rival = {}};
  for (std::size_t n = 0; n < entry.resources.size() && n < present.size(); ++n) {
    const Managed& managed = entry.resources[n];
    Slot slot{.managed = &managed,
              .tracker = policy::Tracker(managed.resource, managed.bounds),
              .told = {},
              .limit_above = 0};
    if (const auto max = cgroup::parse_cpu_max(present[n].setting.text);
        managed.resource == Resource::cpu && max)
      slot.period = max->period;
    const double limit =
        to_limit(managed.resource, present[n].setting).value_or(std::numeric_limits<double>::infinity());
    slot.tracker.limit_is(limit, {});
    for (const cgroup::Setting& ease : present[n].eases)
      (ease.knob == cgroup::Knob::cpu_max_burst ? slot.burst_usec : slot.weight) =
          static_cast<double>(parse_u64(ease.text).value_or(0));
    slot.weight_before = present[n].weight_before > 0 ? present[n].weight_before : slot.weight.value_or(0);
    const policy::Bounds& bounds = managed.bounds;
    const bool goes_on = present[n].resumed && limit <= bounds.hard && limit >= bounds.floor;
    const double begin = goes_on ? limit : bounds.soft;
    const View view = view_of(slot, moment.at);
    const Decision first =
        policy::with_limit(view, begin <= limit ? Verdict::lower : Verdict::raise, Cause::bounds, begin);
    if (begin != limit || first.burst != view.burst) actions.push_back(action_of(member, slot, view, first));
    member.slots.push_back(std::move(slot));
  }
  members_.insert_or_assign(subject.cgroup_id, std::move(member));
  return actions;
}

void Controller::remove(CgroupId cgroup) { members_.erase(cgroup); }

void Controller::limit_above(CgroupId cgroup, Resource resource, double limit) {
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return;
  for (Slot& slot : member->second.slots)
    if (slot.managed->resource == resource) slot.limit_above = limit;
}

void Controller::lost(CgroupId cgroup, policy::Lost lost, std::string rival) {
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return;
  member->second.lost = lost;
  member->second.rival = std::move(rival);
}

/// How much of the host nobody in care holds; infinite where that is not known.
void Controller::count_left() {
  left_.fill(std::numeric_limits<double>::infinity());
  if (host_cpus_ > 0) left_[policy::index(Resource::cpu)] = host_cpus_ - config_->reserve_cpus;
  if (host_memory_ > 0)
    left_[policy::index(Resource::memory)] =
        host_memory_ - static_cast<double>(config_->reserve_memory.count());
  for (const auto& [cgroup, member] : members_)
    for (const Slot& slot : member.slots)
      left_[policy::index(slot.managed->resource)] -=
          std::max(std::min(slot.tracker.limit(), slot.managed->bounds.hard), slot.asked);
}

View Controller::view_of(const Slot& slot, std::chrono::nanoseconds at, bool woken) const {
  View view = slot.tracker.view(at, woken);
  if (slot.burst_usec) {
    view.burst = *slot.burst_usec / static_cast<double>(slot.period.count());
    view.burst_most = std::max(std::min(view.limit, view.hard - view.limit), 0.0);
  }
  view.weight = slot.weight.value_or(0);
  view.weight_before = slot.weight_before;
  view.available = std::clamp(left_[policy::index(slot.managed->resource)], 0.0, view.hard);
  return view;
}

/// What lasts is told once, until it has been calm or the limit moves, also where it comes and goes in turn
/// with something else.
bool Controller::is_news(Slot& slot, const View& view, const Decision& decision) {
  if (decision.verdict == Verdict::raise || decision.verdict == Verdict::lower) {
    slot.told.clear();
    return true;
  }
  if (view.calm > kToldFor && view.contention < policy::kNoticed) slot.told.clear();
  if (decision.verdict == Verdict::keep) return false;
  return slot.told.emplace(decision.verdict, decision.cause).second;
}

/// A part of the containers in canary mode, always the same ones.
MlMode Controller::mode_of(const Member& member) const {
  if (config_->ml_mode != MlMode::canary) return config_->ml_mode;
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char byte : member.subject.container.name)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  constexpr double kAll = 4294967296.0;
  return hash / kAll < config_->canary_share ? MlMode::canary : MlMode::shadow;
}

/// What a model says about a raise.
void Controller::suggest(const Member& member, const Slot& slot, Action& action) const {
  const policy::Policy& policy = *slot.managed->policy;
  if (action.decision.verdict != Verdict::raise || !policy.asks_model || model_ == nullptr) return;
  const auto limit_by = [&](const learn::Model* model) {
    return policy::decide(action.view, policy, slot.managed->parameters, model).limit;
  };
  action.suggestion = Suggested{.mode = mode_of(member),
                                .model = model_->identity().id,
                                .limit = limit_by(model_),
                                .step_would = limit_by(nullptr)};
}

void Controller::decide(Member& member, Slot& slot, const View& view, std::vector<Action>& actions) {
  const learn::Model* const model = mode_of(member) == MlMode::shadow ? nullptr : model_;
  const Decision decision = policy::decide(view, *slot.managed->policy, slot.managed->parameters, model);
  looks_.push_back(action_of(member, slot, view, decision));
  suggest(member, slot, looks_.back());
  const bool waits = std::exchange(slot.asked, decision.verdict == Verdict::raise ? decision.limit : 0) > 0;
  if (waits && decision.verdict == Verdict::keep && decision.cause == policy::Cause::none) {
    // The raise that waits for its moment is not needed any more.
    actions.push_back(looks_.back());
    actions.back().setting =
        to_setting(slot.managed->resource, view.limit, slot.managed->device, slot.period);
  }
  if (decision.verdict == Verdict::raise)
    left_[policy::index(slot.managed->resource)] -= decision.limit - view.limit;
  if (decision.cause == Cause::budget) make_room(member, slot, actions);
  if (!is_news(slot, view, decision)) return;
  actions.push_back(looks_.back());
}

/// Takes back what those of a lower priority hold and do not use, until a step is free; the next look gives
/// it away.
void Controller::make_room(const Member& member, Slot& slot, std::vector<Action>& actions) {
  constexpr double kMargin = 1.15;
  double wanted = slot.managed->bounds.step;
  for (auto& [cgroup, other] : members_) {
    if (other.priority >= member.priority) continue;
    for (const Slot& theirs : other.slots) {
      if (theirs.managed->resource != slot.managed->resource) continue;
      const View view = view_of(theirs, seen_at_);
      const double enough = std::clamp(view.use * kMargin, view.floor, view.hard);
      if (wanted <= 0 || view.limit - enough < view.step) continue;
      wanted -= view.limit - enough;
      actions.push_back(
          action_of(other, theirs, view, policy::with_limit(view, Verdict::lower, Cause::budget, enough)));
    }
  }
}

std::vector<Action> Controller::wake(CgroupId cgroup, Resource resource, Moment moment) {
  std::vector<Action> actions;
  looks_.clear();
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return actions;
  count_left();
  for (Slot& slot : member->second.slots)
    if (slot.managed->resource == resource)
      decide(member->second, slot, view_of(slot, moment.at, true), actions);
  return actions;
}

void Controller::see_host(const Sample& host) {
  if (const auto cpus = host.get(Metric::cpu_limit)) host_cpus_ = static_cast<double>(*cpus) / 1e6;
  if (const auto memory = host.get(Metric::memory_max_limit)) host_memory_ = static_cast<double>(*memory);
  if (const auto used = host.get(Metric::memory_current); used && host_memory_ > 0)
    memory_busy_ = static_cast<double>(*used) / host_memory_;
  if (host_ && host_cpus_ > 0)
    if (const auto busy = rate(*host_, host, Metric::cpu_usage)) cpu_busy_ = *busy / 1e6 / host_cpus_;
  if (host.get(Metric::cpu_usage)) host_ = host;  // there are frames without the host
}

std::vector<Action> Controller::see(const Frame& frame) {
  looks_.clear();
  see_host(frame.host);
  count_left();
  seen_at_ = frame.at;
  std::vector<Action> actions;
  // Those of a higher priority first: they get what is left.
  std::vector<std::pair<Member*, const Sample*>> order;
  for (std::size_t n = 0; n < frame.subjects.size(); ++n)
    if (const auto member = members_.find(frame.subjects[n].cgroup_id); member != members_.end())
      order.emplace_back(&member->second, &frame.samples[n]);
  std::ranges::stable_sort(order, std::greater(), [](const auto& each) { return each.first->priority; });
  for (const auto& [member, sample] : order)
    for (Slot& slot : member->slots) {
      const bool memory = slot.managed->resource == Resource::memory;
      if (slot.tracker.see(*sample, {.limit_above = slot.limit_above,
                                     .host_busy = memory ? memory_busy_ : cpu_busy_,
                                     .lost = memory ? std::nullopt : member->lost}))
        decide(*member, slot, view_of(slot, frame.at, false), actions);
    }
  return actions;
}

void Controller::wrote(const Action& action, Moment moment) {
  const auto member = members_.find(action.subject.cgroup_id);
  if (member == members_.end()) return;
  for (Slot& slot : member->second.slots) {
    if (slot.managed->resource != action.resource || slot.managed->device != action.device) continue;
    for (const cgroup::Setting& ease : action.eases) take_ease(slot, ease, moment.at);
    if (!action.setting) continue;
    slot.asked = 0;
    slot.tracker.limit_is(action.decision.limit, moment.at);
  }
}

void Controller::eased(CgroupId cgroup, const cgroup::Setting& ease, Moment moment) {
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return;
  for (Slot& slot : member->second.slots)
    if (slot.managed->resource == Resource::cpu) take_ease(slot, ease, moment.at);
}

std::vector<Action> Controller::found(CgroupId cgroup, const cgroup::Setting& setting, Moment moment) {
  std::vector<Action> actions;
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return actions;
  for (Slot& slot : member->second.slots) {
    const Managed& managed = *slot.managed;
    const double before = slot.tracker.limit();
    if (managed.resource == Resource::cpu && take_ease(slot, setting, moment.at)) {
      if (setting.knob == cgroup::Knob::cpu_weight) slot.weight_before = slot.weight.value_or(0);
    } else {
      const cgroup::Setting own =
          to_setting(managed.resource, managed.bounds.hard, managed.device, slot.period);
      const auto limit = to_limit(managed.resource, setting);
      if (own.knob != setting.knob || own.device != setting.device || !limit) continue;
      if (const auto max = cgroup::parse_cpu_max(setting.text); managed.resource == Resource::cpu && max)
        slot.period = max->period;
      slot.asked = 0;
      slot.tracker.limit_is(*limit, moment.at);
    }
    const View view = view_of(slot, moment.at);
    const auto is_within = [&](double limit) { return limit >= view.floor && limit <= view.hard; };
    const bool within = is_within(view.limit);
    const double again = within ? view.limit : is_within(before) ? before : managed.bounds.soft;
    const Decision decision =
        policy::with_limit(view, again <= view.limit ? Verdict::lower : Verdict::raise, Cause::bounds, again);
    if (!within || decision.burst != view.burst)
      actions.push_back(action_of(member->second, slot, view, decision));
  }
  return actions;
}

}  // namespace weir::control
