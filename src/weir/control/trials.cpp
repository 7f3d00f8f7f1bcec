// SPDX-License-Identifier: MIT
#include "weir/control/trials.h"

#include <algorithm>

#include "weir/learn/model.h"

namespace weir::control {
namespace {

/// Quantile loss of a limit for what was needed, as a share of the hard one.
double loss(double limit, double needed, double hard) {
  const double short_of = needed - limit;
  return std::max(learn::kQuantile * short_of, (learn::kQuantile - 1) * short_of) / hard;
}

}  // namespace

std::vector<Event> Trials::begin(const Action& action, Moment moment) {
  std::vector<Event> events;
  if (!action.suggestion) return events;
  const Key key = key_of(action);
  if (const auto before = open_.find(key); before != open_.end() && before->second.looks > 0)
    events.push_back(finish(before->second, moment));
  open_.insert_or_assign(
      key,
      Trial{
          .action = action, .begun = moment, .need = Need(*action.managed), .limit = action.decision.limit});
  return events;
}

std::vector<Event> Trials::see(const std::vector<Action>& looks, Moment moment) {
  std::vector<Event> events;
  for (const Action& look : looks) {
    const auto found = open_.find(key_of(look));
    if (found == open_.end() || moment.at - found->second.begun.at < kSettles) continue;
    Trial& trial = found->second;
    ++trial.looks;
    trial.held += look.view.held;
    trial.use += look.view.use;
    trial.need.see(look.view, moment.at - trial.begun.at);
    trial.limit = look.view.limit;
    if (moment.at - trial.begun.at < kOutcome) continue;
    events.push_back(finish(trial, moment));
    open_.erase(found);
  }
  return events;
}

/// Tells what came of it, and adds up what was lost.
Event Trials::finish(const Trial& trial, Moment moment) {
  const Action& action = trial.action;
  const Suggested& suggestion = *action.suggestion;
  const double held = trial.held / trial.looks, hard = action.view.hard, needed = trial.need.most();
  losses_.push_back(
      {.model = loss(suggestion.limit, needed, hard), .step = loss(suggestion.step_would, needed, hard)});
  if (losses_.size() > kJudged) losses_.pop_front();
  // What was only asked for is judged by what was needed.
  const bool helped = suggestion.mode == MlMode::shadow
                          ? suggestion.limit >= std::min(needed, hard)
                          : held <= std::max(policy::kNoticed, action.view.held / 2);
  Event event{.kind = helped ? EventKind::ml_effective : EventKind::ml_no_improvement,
              .time = moment.time,
              .subject = action.subject,
              .details = {}};
  event.details = {{"resource", std::string(to_string(action.resource))},
                   {"mode", std::string(to_string(suggestion.mode))},
                   {"model", suggestion.model},
                   {"suggested", suggestion.limit},
                   {"step_would", suggestion.step_would},
                   {"needed", needed},
                   {"hard", hard},
                   {"held_before", action.view.held},
                   {"held_after", held},
                   {"use_after", trial.use / trial.looks},
                   {"limit_after", trial.limit}};
  if (!action.device.empty()) event.details.emplace_back("device", action.device);
  return event;
}

void Trials::ended(CgroupId cgroup) {
  std::erase_if(open_, [&](const auto& each) { return std::get<CgroupId>(each.first) == cgroup; });
}

std::optional<Event> Trials::verdict(const std::string& model, Moment moment) const {
  if (losses_.size() < kLeast) return std::nullopt;
  Losses mean;
  for (const Losses& each : losses_) {
    mean.model += each.model / static_cast<double>(losses_.size());
    mean.step += each.step / static_cast<double>(losses_.size());
  }
  if (mean.model <= mean.step) return std::nullopt;
  return Event{.kind = EventKind::ml_fallback,
               .time = moment.time,
               .subject = {},
               .details = {{"model", model},
                           {"reason", std::string("its limits lose more than those of step")},
                           {"n", static_cast<std::int64_t>(losses_.size())},
                           {"loss_model", mean.model},
                           {"loss_step", mean.step}}};
}

}  // namespace weir::control
