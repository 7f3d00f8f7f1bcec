// SPDX-License-Identifier: MIT
#pragma once
// Replay: recorded decisions made again, by the policy that made them or by another one. A record is a row of
// samples (samples.h) or an event of control's; both hold the whole view, so that no state is needed and
// every record stands alone: what another policy would have led to afterwards is not in it. Pure.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/flat_json.h"
#include "weir/policy/decide.h"

namespace weir::control {

struct Recorded {
  policy::View view;
  const policy::Policy* policy = nullptr;  ///< never null
  policy::Parameters parameters;
  double limit = 0;                  ///< that it decided for
  double burst = 0, weight = 0;      ///< the same
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch; 0: the record does not say
  std::string container;             ///< its name; may be empty
  std::string model;                 ///< the id of the one that was asked; empty: none
  /// What was used at most in the time after it, and what was needed; of events not known.
  std::optional<double> most_use, needed;
};

/// One line of JSON. nullopt: another kind of line (an event of weir watch, a note of the log), or a decision
/// that no policy made (a first limit). `json` reads it, and is best kept for the next line. Errors: invalid.
Result<std::optional<Recorded>> parse_recorded(std::string_view line, FlatJson& json);

/// What a policy decided, added up.
struct Score {
  std::uint64_t decisions = 0, same = 0;  ///< as recorded
  std::uint64_t raised = 0, lowered = 0, refused = 0, at_hard = 0;

  /// Of one resource: how its limits would have done with what came.
  struct Fit {
    std::uint64_t decisions = 0, changes = 0;
    std::uint64_t with_outcome = 0;
    std::uint64_t too_low = 0;  ///< of these, what was needed afterwards was more than the limit
    double held = 0;            ///< of these, sum of the share of the time that it would have held them back
    double slack = 0;           ///< sum of (limit - most used) / limit, where it was not too low
  };
  std::array<Fit, policy::kResources> fits;
};

/// Decides once more, and adds it up. `model` may be null.
void replay(const Recorded& recorded, const policy::Policy& policy, const policy::Parameters& parameters,
            const learn::Model* model, Score& score);

}  // namespace weir::control
