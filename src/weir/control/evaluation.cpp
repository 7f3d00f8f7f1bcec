// SPDX-License-Identifier: MIT
#include "weir/control/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "weir/base/json.h"
#include "weir/base/random.h"

namespace weir::control {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 10;
constexpr std::size_t kMostBlocks = 500, kResamples = 1000;
constexpr std::uint64_t kSeed = 1;

constexpr std::array<std::string_view, 4> kKinds = {"ml_adjustment", "ml_effective", "ml_no_improvement",
                                                    "ml_fallback"};

/// Means of neighbours, in at most kMostBlocks blocks of one size; what is left over at the end is left out.
std::vector<double> blocks_of(const std::vector<double>& values) {
  const std::size_t size = (values.size() + kMostBlocks - 1) / kMostBlocks;
  std::vector<double> blocks;
  for (std::size_t at = 0; at + size <= values.size(); at += size)
    blocks.push_back(std::reduce(values.begin() + static_cast<std::ptrdiff_t>(at),
                                 values.begin() + static_cast<std::ptrdiff_t>(at + size)) /
                     static_cast<double>(size));
  return blocks;
}

void count(double limit, double needed, double& unused, std::uint64_t& enough) {
  if (needed > limit || limit <= 0) return;
  unused += (limit - needed) / limit;
  ++enough;
}

Fit fit_of(std::uint64_t all, std::uint64_t enough, double unused) {
  Fit fit;
  if (all > 0) fit.too_low = static_cast<double>(all - enough) / static_cast<double>(all);
  if (enough > 0) fit.unused = unused / static_cast<double>(enough);
  return fit;
}

}  // namespace

Result<std::optional<MlEvent>> parse_ml_event(std::string_view line) {
  WEIR_TRY(const Json json, parse_json(line, "event", kLongestLine));
  const auto kind = std::ranges::find(kKinds, string_member(json, "event"));
  if (kind == kKinds.end()) return std::nullopt;
  MlEvent event{.kind = static_cast<MlKind>(kind - kKinds.begin()),
                .resource = string_member(json, "resource"),
                .mode = string_member(json, "mode")};
  if (const Json* container = member(json, "container")) event.container = string_member(*container, "name");
  if (event.kind != MlKind::fallback && (event.resource.empty() || event.mode.empty()))
    return std::unexpected(make_error(ErrorKind::invalid, "event", "does not say of what or in which mode"));
  if (event.kind != MlKind::effective && event.kind != MlKind::no_improvement) return event;
  for (const auto& [name, value] : {std::pair{"held_before", &MlEvent::held_before},
                                    {"held_after", &MlEvent::held_after},
                                    {"needed", &MlEvent::needed},
                                    {"suggested", &MlEvent::suggested},
                                    {"step_would", &MlEvent::step_would}}) {
    const Json* found = member(json, name);
    if (found == nullptr || !found->is_number() || !std::isfinite(found->get<double>()))
      return std::unexpected(make_error(ErrorKind::invalid, "event", fmt::format("has no {}", name)));
    event.*value = found->get<double>();
  }
  return event;
}

std::optional<Mean> bootstrap_mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const std::vector<double> blocks = blocks_of(values);
  Random random(kSeed);
  std::vector<double> means(kResamples);
  for (double& mean : means) {
    for (std::size_t n = 0; n < blocks.size(); ++n) mean += blocks[random.below(blocks.size())];
    mean /= static_cast<double>(blocks.size());
  }
  std::ranges::sort(means);
  const auto at = [&](double share) { return means[static_cast<std::size_t>(share * (kResamples - 1))]; };
  return Mean{.mean = std::reduce(values.begin(), values.end()) / static_cast<double>(values.size()),
              .low = at(0.025),
              .high = at(0.975)};
}

void Evaluation::take(const MlEvent& event) {
  Seen& seen = seen_[{event.container, event.resource, event.mode}];
  switch (event.kind) {
    case MlKind::adjustment:
      ++seen.effect.adjustments;
      return;
    case MlKind::fallback:
      ++seen.effect.fallbacks;
      return;
    case MlKind::effective:
      ++seen.effect.effective;
      break;
    case MlKind::no_improvement:
      ++seen.effect.no_improvement;
      break;
  }
  seen.held_before.push_back(event.held_before);
  seen.held_after.push_back(event.held_after);
  count(event.suggested, event.needed, seen.suggested_unused, seen.suggested_enough);
  count(event.step_would, event.needed, seen.step_unused, seen.step_enough);
}

std::map<Evaluation::Key, Effect> Evaluation::effects() const {
  std::map<Key, Effect> effects;
  for (const auto& [key, seen] : seen_) {
    Effect effect = seen.effect;
    effect.held_before = bootstrap_mean(seen.held_before);
    effect.held_after = bootstrap_mean(seen.held_after);
    effect.suggested = fit_of(seen.held_before.size(), seen.suggested_enough, seen.suggested_unused);
    effect.step = fit_of(seen.held_before.size(), seen.step_enough, seen.step_unused);
    effects.emplace(key, effect);
  }
  return effects;
}

}  // namespace weir::control
