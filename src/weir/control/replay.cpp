// SPDX-License-Identifier: MIT
#include "weir/control/replay.h"

#include <fmt/format.h>

#include <cmath>

#include "weir/base/json.h"

namespace weir::control {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;
/// Of a limit: what differs less was rounded on its way to the kernel.
constexpr double kRounding = 1e-3;

std::optional<double> number(const Json& object, std::string_view key) {
  const Json* found = member(object, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::unexpected<Error> wrong(std::string_view what) {
  return std::unexpected(make_error(ErrorKind::invalid, "record", what));
}

}  // namespace

Result<std::optional<Recorded>> parse_recorded(std::string_view line) {
  WEIR_TRY(const Json json, parse_json(line, "record", kLongestLine));
  if (!json.is_object()) return wrong("is no JSON object");
  const auto resource = policy::parse_resource(string_member(json, "resource"));
  const std::string name = string_member(json, "policy");
  if (!resource || name.empty()) return std::nullopt;
  Recorded recorded;
  recorded.policy = policy::find_policy(name);
  if (recorded.policy == nullptr) return wrong(fmt::format("its policy '{}' is unknown", name));
  // An event has its fields beside the others, a sample in objects of their own.
  const Json* sample = member(json, "view");
  const Json& view = sample == nullptr ? json : *sample;
  if (string_member(view, "limit") == "max") return std::nullopt;  // before its first limit was in force
  recorded.view.resource = *resource;
  for (const policy::Field& field : policy::kFields) {
    const auto value = number(view, field.name);
    if (!value && field.came_later && member(view, field.name) == nullptr) continue;
    if (!value) return wrong(fmt::format("has no {}", field.name));
    recorded.view.*field.value = *value;
  }
  const Json* parameters = member(json, "parameters");
  for (const policy::Parameter& parameter : recorded.policy->parameters) {
    const auto value = sample == nullptr       ? number(json, fmt::format("{}.{}", name, parameter.name))
                       : parameters == nullptr ? std::nullopt
                                               : number(*parameters, parameter.name);
    if (!value || *value < parameter.low || *value > parameter.high)
      return wrong(fmt::format("has no {} that its policy could have", parameter.name));
    recorded.parameters.push_back(*value);
  }
  const Json* decision = member(json, "decision");
  const auto limit = sample == nullptr     ? number(json, "to")
                     : decision == nullptr ? std::nullopt
                                           : number(*decision, "limit");
  if (!limit) return wrong("does not say what was decided");
  recorded.limit = *limit;
  const auto eased = [&](std::string_view what, double unchanged) {
    const auto value = sample == nullptr ? number(json, fmt::format("to_{}", what)) : number(*decision, what);
    return value.value_or(unchanged);
  };
  recorded.burst = eased("burst", recorded.view.burst);
  recorded.weight = eased("weight", recorded.view.weight);
  // Those that no policy made: a first limit, one for the sake of another container.
  const std::string cause = string_member(decision == nullptr ? json : *decision, "cause");
  if (cause == "bounds" || (cause == "budget" && *limit < recorded.view.limit)) return std::nullopt;
  const policy::View& seen = recorded.view;
  if (!(seen.floor > 0 && seen.floor <= seen.hard && seen.step > 0 && seen.limit > 0))
    return wrong("has bounds that contradict each other");
  const Json* time = member(json, "time_ns");
  if (time != nullptr && time->is_number_integer())
    recorded.time = std::chrono::nanoseconds(time->get<std::int64_t>());
  const Json* container = member(json, "container");
  recorded.model = string_member(json, "model");
  recorded.container = string_member(container == nullptr ? json : *container, "name");
  if (const Json* outcome = member(json, "outcome")) {
    recorded.most_use = number(*outcome, "most_use");
    recorded.needed = number(*outcome, "needed");
  }
  return recorded;
}

void replay(const Recorded& recorded, const policy::Policy& policy, const policy::Parameters& parameters,
            const learn::Model* model, Score& score) {
  using policy::Verdict;
  const policy::Decision decision = policy::decide(recorded.view, policy, parameters, model);
  ++score.decisions;
  const auto near = [](double a, double b) { return std::abs(a - b) <= kRounding * std::max(a, b); };
  if (near(decision.limit, recorded.limit) && near(decision.burst, recorded.burst) &&
      near(decision.weight, recorded.weight))
    ++score.same;
  if (decision.verdict == Verdict::raise) ++score.raised;
  if (decision.verdict == Verdict::lower) ++score.lowered;
  if (decision.verdict == Verdict::refused) ++score.refused;
  if (decision.verdict == Verdict::at_hard) ++score.at_hard;
  score.limits += decision.limit;
  score.uses += recorded.view.use;
  if (!recorded.most_use) return;
  ++score.with_outcome;
  if (*recorded.most_use > decision.limit)
    ++score.too_low;
  else if (decision.limit > 0)
    score.slack += (decision.limit - *recorded.most_use) / decision.limit;
}

}  // namespace weir::control
