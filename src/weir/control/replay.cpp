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
  // Those that no policy made: a first limit, one for the sake of another container.
  const std::string cause = string_member(decision == nullptr ? json : *decision, "cause");
  if (cause == "bounds" || (cause == "budget" && *limit < recorded.view.limit)) return std::nullopt;
  const policy::View& seen = recorded.view;
  if (!(seen.floor > 0 && seen.floor <= seen.hard && seen.step > 0 && seen.limit > 0))
    return wrong("has bounds that contradict each other");
  if (const Json* outcome = member(json, "outcome")) recorded.most_use = number(*outcome, "most_use");
  return recorded;
}

void replay(const Recorded& recorded, const policy::Policy& policy, const policy::Parameters& parameters,
            Score& score) {
  using policy::Verdict;
  const policy::Decision decision = policy::decide(recorded.view, policy, parameters);
  ++score.decisions;
  if (std::abs(decision.limit - recorded.limit) <= kRounding * recorded.limit) ++score.same;
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
