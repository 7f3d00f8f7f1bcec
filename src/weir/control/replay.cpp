// SPDX-License-Identifier: MIT
#include "weir/control/replay.h"

#include <fmt/format.h>

#include <cmath>

namespace weir::control {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;
/// Of a limit: what differs less was rounded on its way to the kernel.
constexpr double kRounding = 1e-3;

std::unexpected<Error> wrong(std::string_view what) {
  return std::unexpected(make_error(ErrorKind::invalid, "record", what));
}

}  // namespace

Result<std::optional<Recorded>> parse_recorded(std::string_view line, FlatJson& json) {
  WEIR_CHECK(json.read(line, "record", kLongestLine));
  const auto resource = policy::parse_resource(json.string("", "resource"));
  const std::string_view name = json.string("", "policy");
  if (!resource || name.empty()) return std::nullopt;
  Recorded recorded;
  recorded.policy = policy::find_policy(name);
  if (recorded.policy == nullptr) return wrong(fmt::format("its policy '{}' is unknown", name));
  // An event has its fields beside the others, a sample in objects of their own.
  const bool sample = json.has_section("view");
  const std::string_view view = sample ? "view" : "", decision = sample ? "decision" : "";
  if (json.string(view, "limit") == "max") return std::nullopt;  // before its first limit was in force
  recorded.model = json.string("", "model");
  recorded.time = std::chrono::nanoseconds(json.integer("", "time_ns").value_or(0));
  recorded.container = json.string(sample ? "" : "container", "name");
  recorded.view.resource = *resource;
  for (const policy::Parameter& parameter : recorded.policy->parameters) {
    const auto value = sample ? json.number("parameters", parameter.name)
                              : json.number("", fmt::format("{}.{}", name, parameter.name));
    if (!value || *value < parameter.low || *value > parameter.high)
      return wrong(fmt::format("has no {} that its policy could have", parameter.name));
    recorded.parameters.push_back(*value);
  }
  for (const policy::Field& field : policy::kFields) {
    const auto value = json.number(view, field.name);
    if (!value && field.came_later && !json.has(view, field.name)) continue;
    if (!value) return wrong(fmt::format("has no {}", field.name));
    recorded.view.*field.value = *value;
  }
  const std::string_view cause = json.string(decision, "cause");
  const auto limit = json.number(decision, sample ? "limit" : "to");
  if (!limit) return wrong("does not say what was decided");
  recorded.limit = *limit;
  recorded.burst = json.number(decision, sample ? "burst" : "to_burst").value_or(recorded.view.burst);
  recorded.weight = json.number(decision, sample ? "weight" : "to_weight").value_or(recorded.view.weight);
  // Those that no policy made: a first limit, one for the sake of another container.
  if (cause == "bounds" || (cause == "budget" && *limit < recorded.view.limit)) return std::nullopt;
  const policy::View& seen = recorded.view;
  if (!(seen.floor > 0 && seen.floor <= seen.hard && seen.step > 0 && seen.limit > 0))
    return wrong("has bounds that contradict each other");
  recorded.most_use = json.number("outcome", "most_use");
  recorded.needed = json.number("outcome", "needed");
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
  Score::Fit& fit = score.fits[policy::index(recorded.view.resource)];
  ++fit.decisions;
  if (decision.verdict == Verdict::raise || decision.verdict == Verdict::lower) ++fit.changes;
  if (!recorded.most_use) return;
  ++fit.with_outcome;
  const double needed = recorded.needed.value_or(*recorded.most_use);
  if (needed > decision.limit) {
    ++fit.too_low;
    fit.held += 1 - decision.limit / needed;
  } else if (decision.limit > 0) {
    fit.slack += (decision.limit - *recorded.most_use) / decision.limit;
  }
}

}  // namespace weir::control
