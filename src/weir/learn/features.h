// SPDX-License-Identifier: MIT
#pragma once
// Features: what a model is asked by. Their names and order are the schema; a model file names them, so that
// one of another schema is refused. Every limit and use is a share of the hard limit, every other share one
// of the time, every span the logarithm of the seconds: what was learned on a small container holds for a
// large one. Who fills them in is policy/features.h.

#include <array>
#include <cstddef>
#include <string_view>

namespace weir::learn {

inline constexpr int kFeatureSchema = 1;

inline constexpr std::array<std::string_view, 18> kFeatureNames = {
    "limit",    "use",       "peak",        "p50",          "p90",        "p95",
    "p99",      "held",      "held_above",  "above",        "contention", "woken",
    "pressure", "host_busy", "since_raise", "since_change", "held_for",   "calm"};

using Features = std::array<double, kFeatureNames.size()>;

/// The place of a feature; kFeatureNames.size(): there is none of that name.
constexpr std::size_t feature_index(std::string_view name) {
  std::size_t n = 0;
  while (n < kFeatureNames.size() && kFeatureNames[n] != name) ++n;
  return n;
}

/// Whether its limit holds it back.
constexpr bool is_held(const Features& features) {
  constexpr double kNoticed = 0.02;
  static_assert(feature_index("held") < kFeatureNames.size() &&
                feature_index("woken") < kFeatureNames.size());
  return features[feature_index("held")] > kNoticed || features[feature_index("woken")] > 0;
}

}  // namespace weir::learn
