// SPDX-License-Identifier: MIT
#pragma once
// Evaluation: what a model's decisions led to, from the events that weir control told of them: how often they
// helped, how much a container was held back before and after, and how its limits compare with those that the
// policy step would have set. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "weir/base/error.h"

namespace weir::control {

enum class MlKind : std::uint8_t {
  adjustment,      ///< a model decided, or would have
  effective,       ///< some seconds later: it helped
  no_improvement,  ///< it did not
  fallback,        ///< its answer was not taken
};

/// One event of a model's decision.
struct MlEvent {
  MlKind kind = MlKind::adjustment;
  std::string container, resource, mode;  ///< empty in a fallback that is of no single one
  /// Of effective and no_improvement: shares of the time, and limits in the resource's unit.
  double held_before = 0, held_after = 0, needed = 0, suggested = 0, step_would = 0;
};
/// One line of the event log. nullopt: another event. Errors: invalid (one of a model that lacks something).
Result<std::optional<MlEvent>> parse_ml_event(std::string_view line);

/// A mean, and its 95 % interval by bootstrap.
struct Mean {
  double mean = 0, low = 0, high = 0;
  bool operator==(const Mean&) const = default;
};
/// In the order in which they were measured: neighbours are resampled together, in at most 500 blocks, since
/// what follows on each other is alike. The same values give the same interval. nullopt for no values.
std::optional<Mean> bootstrap_mean(const std::vector<double>& values);

/// How limits were, for what was needed afterwards.
struct Fit {
  double too_low = 0;  ///< share in which more was needed
  double unused = 0;   ///< of the limit, where it was enough: mean
};

/// What became of the decisions about one resource of one container in one mode.
struct Effect {
  std::uint64_t adjustments = 0, effective = 0, no_improvement = 0, fallbacks = 0;
  std::optional<Mean> held_before, held_after;
  Fit suggested, step;  ///< of those whose outcome is known
};

class Evaluation {
 public:
  /// Container, resource, mode.
  using Key = std::tuple<std::string, std::string, std::string>;

  void take(const MlEvent& event);
  [[nodiscard]] std::map<Key, Effect> effects() const;

 private:
  struct Seen {
    Effect effect;
    std::vector<double> held_before, held_after;
    double suggested_unused = 0, step_unused = 0;
    std::uint64_t suggested_enough = 0, step_enough = 0;
  };
  std::map<Key, Seen> seen_;
};

}  // namespace weir::control
