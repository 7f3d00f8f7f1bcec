// SPDX-License-Identifier: MIT
#include "weir/policy/features.h"

#include <algorithm>
#include <cmath>

namespace weir::policy {
namespace {

/// More than that is "more than it may ever have", by however much.
constexpr double kMostShare = 2;
/// Longer is "long ago".
constexpr double kLongest = 3600;

double of_hard(const View& view, double amount) { return std::clamp(amount / view.hard, 0.0, kMostShare); }
double of_time(double share) { return std::clamp(share, 0.0, 1.0); }
double long_ago(double seconds) {
  return std::log1p(std::clamp(seconds, 0.0, kLongest)) / std::log1p(kLongest);
}

struct Feature {
  std::string_view name;
  double (*of)(const View& view);
};
constexpr std::array<Feature, learn::kFeatureNames.size()> kFeatures = {{
    {"limit", [](const View& v) { return of_hard(v, v.limit); }},
    {"use", [](const View& v) { return of_hard(v, v.use); }},
    {"peak", [](const View& v) { return of_hard(v, v.peak); }},
    {"p50", [](const View& v) { return of_hard(v, v.p50); }},
    {"p90", [](const View& v) { return of_hard(v, v.p90); }},
    {"p95", [](const View& v) { return of_hard(v, v.p95); }},
    {"p99", [](const View& v) { return of_hard(v, v.p99); }},
    {"held", [](const View& v) { return of_time(v.held); }},
    {"held_above", [](const View& v) { return of_time(v.held_above); }},
    // None above is one as wide as can be.
    {"above", [](const View& v) { return v.limit_above > 0 ? of_hard(v, v.limit_above) : kMostShare; }},
    {"contention", [](const View& v) { return of_time(v.contention); }},
    {"woken", [](const View& v) { return of_time(v.woken); }},
    {"pressure", [](const View& v) { return of_time(v.pressure); }},
    {"host_busy", [](const View& v) { return of_time(v.host_busy); }},
    {"since_raise", [](const View& v) { return long_ago(v.since_raise); }},
    {"since_change", [](const View& v) { return long_ago(v.since_change); }},
    {"held_for", [](const View& v) { return long_ago(v.held_for); }},
    {"calm", [](const View& v) { return long_ago(v.calm); }},
}};
static_assert(std::ranges::equal(kFeatures, learn::kFeatureNames, {}, &Feature::name),
              "the names and their order are a model's schema");

}  // namespace

learn::Features features_of(const View& view) {
  learn::Features features;
  std::ranges::transform(kFeatures, features.begin(), [&](const Feature& each) { return each.of(view); });
  return features;
}

}  // namespace weir::policy
