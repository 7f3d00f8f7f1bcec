// SPDX-License-Identifier: MIT
#include "weir/control/action.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "weir/cgroup/value.h"

namespace weir::control {
namespace {

using policy::Resource;
using policy::Verdict;
using std::chrono::microseconds;

constexpr std::uint64_t kPage = 4096;
/// The kernel's least quota.
constexpr double kLeastQuota = 1000;

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

void add_view(const policy::View& view, Event& event) {
  for (const policy::Field& field : policy::kFields) {
    const double value = view.*field.value;
    if (std::isfinite(value))
      event.details.emplace_back(std::string(field.name), value);
    else
      event.details.emplace_back(std::string(field.name), "max");
  }
}

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
  if (action.managed->policy->ease != nullptr) {
    event.details.emplace_back("to_burst", action.decision.burst);
    event.details.emplace_back("to_weight", action.decision.weight);
  }
  if (action.suggestion && action.suggestion->mode != MlMode::shadow)
    event.details.emplace_back("model", action.suggestion->model);
  if (!action.rival.empty()) event.details.emplace_back("rival", action.rival);
  add_view(action.view, event);
  return event;
}

Event to_ml_event(const Action& action, Moment moment) {
  Event event{
      .kind = EventKind::ml_adjustment, .time = moment.time, .subject = action.subject, .details = {}};
  event.details = {{"resource", std::string(to_string(action.resource))},
                   {"mode", std::string(to_string(action.suggestion->mode))},
                   {"model", action.suggestion->model},
                   {"from", action.view.limit},
                   {"to", action.decision.limit},
                   {"suggested", action.suggestion->limit},
                   {"step_would", action.suggestion->step_would}};
  if (!action.device.empty()) event.details.emplace_back("device", action.device);
  add_view(action.view, event);
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

}  // namespace weir::control
