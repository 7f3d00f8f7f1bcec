// SPDX-License-Identifier: MIT
#include "weir/control/samples.h"

#include <algorithm>
#include <cmath>

#include "weir/base/json.h"
#include "weir/base/text.h"

namespace weir::control {
namespace {

constexpr std::size_t kMostOpen = 64;

}  // namespace

std::string Samples::line_of(const Row& row) {
  const Action& action = row.action;
  const policy::Policy& policy = *action.managed->policy;
  Json json = {{"schema", kSchema},
               {"time", format_utc(row.moment.time)},
               {"time_ns", row.moment.time.count()},
               {"name", action.subject.container.name},
               {"cgroup", action.subject.container.cgroup},
               {"cgroup_id", action.subject.cgroup_id.count()},
               {"resource", to_string(action.resource)}};
  if (!action.device.empty()) json["device"] = action.device;
  json["policy"] = policy.name;
  if (action.suggestion && action.suggestion->mode != MlMode::shadow)
    json["model"] = action.suggestion->model;
  Json& parameters = json["parameters"] = Json::object();
  for (std::size_t n = 0; n < policy.parameters.size(); ++n)
    parameters[std::string(policy.parameters[n].name)] = action.managed->parameters[n];
  Json& view = json["view"] = Json::object();
  for (const policy::Field& field : policy::kFields) view[std::string(field.name)] = action.view.*field.value;
  json["decision"] = {{"verdict", to_string(action.decision.verdict)},
                      {"cause", to_string(action.decision.cause)},
                      {"limit", action.decision.limit}};
  if (policy.ease != nullptr) {
    json["decision"]["burst"] = action.decision.burst;
    json["decision"]["weight"] = action.decision.weight;
  }
  json["outcome"] = {{"looks", row.looks},         {"use", row.use / row.looks},
                     {"most_use", row.most_use},   {"held", row.held / row.looks},
                     {"most_held", row.most_held}, {"needed", row.need.most()},
                     {"limit", row.limit}};
  return dump_json(json, -1);
}

void Samples::Row::see(const policy::View& look, std::chrono::nanoseconds at) {
  const std::chrono::nanoseconds age = at - moment.at;
  need.see(look, age);
  if (over) return;
  ++looks;
  use += look.use;
  most_use = std::max(most_use, look.use);
  held += look.held;
  most_held = std::max(most_held, look.held);
  limit = look.limit;
  over = age >= kOutcome;
}

void Samples::see(const std::vector<Action>& looks, Moment moment) {
  for (const Action& look : looks) {
    if (!std::isfinite(look.view.limit)) continue;  // before its first limit is in force
    std::deque<Row>& rows = open_[{look.subject.cgroup_id, look.resource, look.device}];
    for (Row& row : rows) row.see(look.view, moment.at);
    for (; !rows.empty() && rows.front().is_known(moment.at); rows.pop_front())
      lines_.push_back(line_of(rows.front()));
    const bool changes = look.decision.limit != look.view.limit || look.decision.burst != look.view.burst ||
                         look.decision.weight != look.view.weight;
    if (rows.size() >= kMostOpen || (!changes && !rows.empty() && moment.at - rows.back().moment.at < kPause))
      continue;
    rows.push_back({.action = look, .moment = moment, .need = Need(*look.managed)});
  }
}

void Samples::ended(CgroupId cgroup) {
  std::erase_if(open_, [&](const auto& each) { return std::get<CgroupId>(each.first) == cgroup; });
}

}  // namespace weir::control
