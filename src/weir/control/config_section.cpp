// SPDX-License-Identifier: MIT
#include "weir/control/config_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "weir/base/text.h"

namespace weir::control {
namespace {

using limits::YamlKeys;
using policy::Resource;

constexpr std::array<std::string_view, 7> kKeys = {"soft",     "hard",   "floor",     "step",
                                                   "cooldown", "policy", "parameters"};
constexpr double kShortestCooldown = 0.1, kLongestCooldown = 86400;  // seconds
constexpr double kSteps = 16;                                        // from floor to hard, unless given
constexpr double kRounding = 1 + 1e-9;                               // 0.3 - 0.1 is less than 0.2

/// How a resource's numbers are written and what they may be.
struct Unit {
  double floor = 0;      ///< unless given
  double least = 0;      ///< of a limit: what is less the kernel refuses
  double most = 0x1p60;  ///< more than any machine has
  double grain = 1;      ///< the least step
  bool whole = true;     ///< a number is so many grains
  std::string_view example;
};
constexpr Unit kIo = {.floor = 64 * kKiB, .least = 1, .example = "64M"};
constexpr std::array<Unit, policy::kResources> kUnits = {{
    {.floor = 0.05, .least = 0.01, .most = 8192, .grain = 0.001, .whole = false, .example = "2"},
    {.floor = 16 * kMiB, .least = 4096, .grain = 4096, .example = "512M"},
    kIo,
    kIo,
}};

const Unit& unit_of(Resource resource) { return kUnits[index(resource)]; }

double rounded(double value, const Unit& unit) {
  return unit.whole ? std::floor(value / unit.grain) * unit.grain : value;
}

std::string shown(double value, Resource resource) {
  return resource == Resource::cpu ? fmt::format("{}", value)
                                   : format_bytes(Bytes(static_cast<std::uint64_t>(value)));
}

Result<double> parse_amount(std::string_view text, Resource resource) {
  if (resource != Resource::cpu) {
    WEIR_TRY(const Bytes bytes, parse_bytes(text));
    return static_cast<double>(bytes.count());
  }
  if (const auto cpus = parse_decimal(text)) return *cpus;
  return std::unexpected(make_error(ErrorKind::invalid, text, "is not a number of CPUs", "for example 0.5"));
}

}  // namespace

Result<double> SectionParser::amount(const YAML::Node& node, std::string_view what, Resource resource,
                                     double least) const {
  const Unit& unit = unit_of(resource);
  WEIR_TRY(const std::string text, file_.scalar(node, what));
  const auto parsed = parse_amount(text, resource);
  if (!parsed) return refused(node, what, parsed.error());
  const double value = rounded(*parsed, unit);
  if (value < least || value > unit.most)
    return file_.wrong(node,
                       fmt::format("{} must be from {} to {}, not {}", what, shown(least, resource),
                                   shown(unit.most, resource), text),
                       fmt::format("for example {}", unit.example));
  return value;
}

Result<double> SectionParser::number(const YAML::Node& node, std::string_view what, double low,
                                     double high) const {
  WEIR_TRY(const std::string text, file_.scalar(node, what));
  const auto value = parse_decimal(text);
  if (!value || *value < low || *value > high)
    return file_.wrong(node, fmt::format("{} must be a number from {} to {}", what, low, high),
                       "write it like 0.5");
  return *value;
}

Result<double> SectionParser::cooldown(const YAML::Node& node, std::string_view what) const {
  WEIR_TRY(const std::string text, file_.scalar(node, what));
  const auto duration = parse_duration(text);
  if (!duration) return refused(node, what, duration.error());
  const double seconds = std::chrono::duration<double>(*duration).count();
  if (seconds < kShortestCooldown || seconds > kLongestCooldown)
    return file_.wrong(node, fmt::format("{} must be from 100ms to 24h, not {}", what, text),
                       "for example 1s");
  return seconds;
}

Result<const policy::Policy*> SectionParser::policy(const YAML::Node& node, std::string_view what) const {
  WEIR_TRY(const std::string name, file_.scalar(node, what));
  const policy::Policy* const found = policy::find_policy(name);
  if (found != nullptr) return found;
  std::vector<std::string_view> names;
  for (const policy::Policy& each : policy::policies()) names.push_back(each.name);
  return file_.unknown(node, "is no policy", name, names);
}

Result<Managed> SectionParser::managed(const YAML::Node& section, Resource resource,
                                       const Defaults& defaults) const {
  WEIR_TRY(const YamlKeys keys, file_.keys(section, to_string(resource), kKeys));
  Managed managed{.resource = resource, .policy = defaults.policy};
  WEIR_TRY(managed.bounds, bounds(section, keys, resource));
  managed.bounds.cooldown = defaults.cooldown;
  if (const YAML::Node* node = keys.find("cooldown")) {
    WEIR_TRY(managed.bounds.cooldown, cooldown(*node, "cooldown"));
  }
  if (const YAML::Node* node = keys.find("policy")) {
    WEIR_TRY(managed.policy, policy(*node, "policy"));
  }
  managed.parameters = defaults_of(*managed.policy);
  if (const YAML::Node* node = keys.find("parameters")) {
    WEIR_TRY(managed.parameters, parameters(*node, *managed.policy));
  }
  return managed;
}

Result<policy::Bounds> SectionParser::bounds(const YAML::Node& section, const YamlKeys& keys,
                                             Resource resource) const {
  const Unit& unit = unit_of(resource);
  const auto given = [&](std::string_view key, double least) -> Result<std::optional<double>> {
    const YAML::Node* const node = keys.find(key);
    if (node == nullptr) return std::nullopt;
    return amount(*node, fmt::format("{}.{}", to_string(resource), key), resource, least);
  };
  const auto above = [&](std::string_view key, double value, std::string_view top, double most) {
    return file_.wrong(*keys.find(key),
                       fmt::format("{}.{} is {}, more than {}, {}", to_string(resource), key,
                                   shown(value, resource), top, shown(most, resource)),
                       "floor <= soft <= hard, and step <= hard - floor");
  };
  WEIR_TRY(const std::optional<double> hard, given("hard", unit.least));
  WEIR_TRY(const std::optional<double> soft, given("soft", unit.least));
  WEIR_TRY(const std::optional<double> floor, given("floor", unit.least));
  WEIR_TRY(const std::optional<double> step, given("step", unit.grain));
  if (!hard)
    return file_.wrong(section, fmt::format("{} has no hard limit", to_string(resource)),
                       fmt::format("add what it may never pass, for example hard: {}", unit.example));
  if (soft > hard) return above("soft", *soft, "hard", *hard);
  const double top = soft.value_or(*hard);
  if (floor > top) return above("floor", *floor, soft ? "soft" : "hard", top);

  policy::Bounds bounds{.hard = *hard, .floor = floor.value_or(std::min(unit.floor, top))};
  bounds.soft = soft.value_or(std::max(rounded(*hard / 4, unit), bounds.floor));
  const double room = bounds.hard - bounds.floor;
  bounds.step = step.value_or(std::max(rounded(room / kSteps, unit), unit.grain));
  if (room > 0) {
    if (step > room * kRounding) return above("step", *step, "hard - floor", room);
    bounds.step = std::min(bounds.step, room);
  }
  return bounds;
}

Result<policy::Parameters> SectionParser::parameters(const YAML::Node& node,
                                                     const policy::Policy& policy) const {
  std::vector<std::string_view> names;
  for (const policy::Parameter& each : policy.parameters) names.push_back(each.name);
  WEIR_TRY(const YamlKeys keys, file_.keys(node, fmt::format("the parameters of {}", policy.name), names));
  policy::Parameters parameters = defaults_of(policy);
  for (std::size_t n = 0; n < names.size(); ++n) {
    const policy::Parameter& each = policy.parameters[n];
    if (const YAML::Node* given = keys.find(each.name)) {
      WEIR_TRY(parameters[n], number(*given, each.name, each.low, each.high));
    }
  }
  return parameters;
}

std::unexpected<Error> SectionParser::refused(const YAML::Node& node, std::string_view what,
                                              const Error& error) const {
  return file_.wrong(node, fmt::format("{} '{}' {}", what, error.subject.substr(0, 256), error.what),
                     error.hint);
}

}  // namespace weir::control
