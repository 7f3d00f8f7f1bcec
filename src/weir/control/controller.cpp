// SPDX-License-Identifier: MIT
#include "weir/control/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "weir/cgroup/value.h"

namespace weir::control {
namespace {

using policy::Cause;
using policy::Decision;
using policy::Resource;
using policy::Verdict;
using policy::View;
using std::chrono::microseconds;

constexpr std::uint64_t kPage = 4096;
/// The kernel's least quota.
constexpr double kLeastQuota = 1000;
/// What was told is told again only after it was calm for that long, in seconds.
constexpr double kToldFor = 5;

EventKind kind_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::lower:
      return EventKind::soft_limit_lowered;
    case Verdict::at_hard:
      return EventKind::hard_limit_reached;
    case Verdict::refused:
      return EventKind::raise_refused;
    default:
      return EventKind::soft_limit_raised;
  }
}

std::string_view io_key(Resource resource) { return resource == Resource::io_read ? "rbps" : "wbps"; }

}  // namespace

Event to_event(const Action& action, Moment moment) {
  Event event{.kind = kind_of(action.decision.verdict),
              .time = moment.time,
              .subject = action.subject,
              .details = {}};
  event.details.emplace_back("resource", std::string(to_string(action.resource)));
  if (!action.device.empty()) event.details.emplace_back("device", action.device);
  event.details.emplace_back("policy", std::string(action.managed->policy->name));
  for (std::size_t n = 0; n < action.managed->parameters.size(); ++n)
    event.details.emplace_back(
        fmt::format("{}.{}", action.managed->policy->name, action.managed->policy->parameters[n].name),
        action.managed->parameters[n]);
  event.details.emplace_back("cause", std::string(to_string(action.decision.cause)));
  event.details.emplace_back("to", action.decision.limit);
  if (!action.rival.empty()) event.details.emplace_back("rival", action.rival);
  for (const policy::Field& field : policy::kFields) {
    const double value = action.view.*field.value;
    if (std::isfinite(value))
      event.details.emplace_back(std::string(field.name), value);
    else
      event.details.emplace_back(std::string(field.name), "max");
  }
  return event;
}

cgroup::Setting to_setting(Resource resource, double limit, std::string_view device, microseconds period) {
  switch (resource) {
    case Resource::cpu: {
      const double quota = std::max(limit * static_cast<double>(period.count()), kLeastQuota);
      return {.knob = cgroup::Knob::cpu_max,
              .device = {},
              .text = fmt::format("{} {}", std::llround(quota), period.count())};
    }
    case Resource::memory:
      return {.knob = cgroup::Knob::memory_high,
              .device = {},
              .text = fmt::format("{}", static_cast<std::uint64_t>(limit) / kPage * kPage)};
    case Resource::io_read:
    case Resource::io_write:
      break;
  }
  const auto setting = cgroup::parse_setting(
      fmt::format("io.max={}:{}={}", device, io_key(resource), std::llround(std::max(limit, 1.0))));
  return setting ? *setting : cgroup::Setting{};
}

std::optional<double> to_limit(Resource resource, const cgroup::Setting& setting) {
  switch (resource) {
    case Resource::cpu: {
      const auto max = cgroup::parse_cpu_max(setting.text);
      return max && !max->cpus().is_unlimited() ? max->cpus().value()
                                                : std::numeric_limits<double>::infinity();
    }
    case Resource::memory: {
      const auto bytes = cgroup::parse_limit_bytes(setting.text);
      return bytes && !bytes->is_unlimited() ? static_cast<double>(bytes->value().count())
                                             : std::numeric_limits<double>::infinity();
    }
    case Resource::io_read:
    case Resource::io_write:
      break;
  }
  const auto max = cgroup::parse_io_max(setting.text, cgroup::Sizes::plain);
  const std::size_t key = resource == Resource::io_read ? 0 : 1;
  if (!max.value.named[key]) return std::nullopt;
  const auto value = max.value.limits[key];
  return value ? static_cast<double>(*value) : std::numeric_limits<double>::infinity();
}

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
  action.urgent = decision.verdict == Verdict::raise && (view.woken > 0 || view.held > 0);
  return action;
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
    const policy::Bounds& bounds = managed.bounds;
    const bool goes_on = present[n].resumed && limit <= bounds.hard && limit >= bounds.floor;
    const double begin = goes_on ? limit : bounds.soft;
    if (begin != limit)
      actions.push_back(action_of(member, slot, slot.tracker.view(moment.at),
                                  {.verdict = begin < limit ? Verdict::lower : Verdict::raise,
                                   .cause = Cause::bounds,
                                   .limit = begin}));
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
  view.available = std::clamp(left_[policy::index(slot.managed->resource)], 0.0, view.hard);
  return view;
}

/// What lasts is told once, until it has been calm or is something else.
bool Controller::is_news(Slot& slot, const View& view, const Decision& decision) {
  if (decision.verdict == Verdict::raise || decision.verdict == Verdict::lower) {
    slot.told.reset();
    return true;
  }
  if (view.calm > kToldFor && view.contention < 0.02) slot.told.reset();
  if (decision.verdict == Verdict::keep) return false;
  const std::pair what(decision.verdict, decision.cause);
  if (slot.told == what) return false;
  slot.told = what;
  return true;
}

void Controller::decide(Member& member, Slot& slot, const View& view, std::vector<Action>& actions) {
  const Decision decision = policy::decide(view, *slot.managed->policy, slot.managed->parameters);
  looks_.push_back(action_of(member, slot, view, decision));
  slot.asked = decision.verdict == Verdict::raise ? decision.limit : 0;
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
      const View view = theirs.tracker.view(seen_at_);
      const double enough = std::max(view.floor, view.use * kMargin);
      if (wanted <= 0 || view.limit - enough < view.step) continue;
      wanted -= view.limit - enough;
      actions.push_back(action_of(other, theirs, view,
                                  {.verdict = Verdict::lower, .cause = Cause::budget, .limit = enough}));
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
  host_ = host;
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
  if (member == members_.end() || !action.setting) return;
  for (Slot& slot : member->second.slots) {
    if (slot.managed->resource != action.resource || slot.managed->device != action.device) continue;
    slot.asked = 0;
    slot.tracker.limit_is(action.decision.limit, moment.at);
  }
}

std::vector<Action> Controller::found(CgroupId cgroup, const cgroup::Setting& setting, Moment moment) {
  std::vector<Action> actions;
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return actions;
  for (Slot& slot : member->second.slots) {
    const Managed& managed = *slot.managed;
    const cgroup::Setting own =
        to_setting(managed.resource, managed.bounds.hard, managed.device, slot.period);
    const auto limit = to_limit(managed.resource, setting);
    if (own.knob != setting.knob || own.device != setting.device || !limit) continue;
    if (const auto max = cgroup::parse_cpu_max(setting.text); managed.resource == Resource::cpu && max)
      slot.period = max->period;
    const double before = slot.tracker.limit();
    slot.asked = 0;
    slot.tracker.limit_is(*limit, moment.at);
    if (*limit >= managed.bounds.floor && *limit <= managed.bounds.hard) continue;
    const double again = std::clamp(before, managed.bounds.floor, managed.bounds.hard);
    actions.push_back(action_of(member->second, slot, slot.tracker.view(moment.at),
                                {.verdict = again < *limit ? Verdict::lower : Verdict::raise,
                                 .cause = Cause::bounds,
                                 .limit = again}));
  }
  return actions;
}

}  // namespace weir::control
