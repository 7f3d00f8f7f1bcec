// SPDX-License-Identifier: MIT
#pragma once
// Plan: every write of a race, in order. Within a knob the methods are interleaved at random, so that a host
// that gets slower half-way is slow for all of them. The same options give the same plan. Pure.

#include <cstdint>
#include <vector>

#include "weir/latency/method.h"

namespace weir::latency {

struct Counts {
  std::uint32_t direct = 10'000;  ///< writes of each direct method and knob
  std::uint32_t slow = 100;       ///< the same of each slow method
  std::uint32_t effect = 200;     ///< cuts (and raises) of each method and knob whose first effect is timed
  bool operator==(const Counts&) const = default;
};

/// A method that can set a knob on this host.
struct Combination {
  Method method = Method::pwrite;
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  bool operator==(const Combination&) const = default;
};

/// calls: one write between two values that hold nobody back. effect: a cut below use, and the raise after
/// it.
enum class Part { calls, effect };

struct Step {
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  Part part = Part::calls;
  Method method = Method::pwrite;
  bool warm_up = false;  ///< done, and not counted
  bool operator==(const Step&) const = default;
};

struct PlanOptions {
  std::vector<Combination> combinations;
  Counts counts;
  std::uint64_t seed = 0;
  bool operator==(const PlanOptions&) const = default;
};

/// Knob after knob, its calls and then its effects; each part begins with its warm-ups.
std::vector<Step> make_plan(const PlanOptions& options);

}  // namespace weir::latency
