// SPDX-License-Identifier: MIT
#pragma once
// Plan: what `set` is about to do, knob by knob, looked at and checked before anything is written: is the
// cgroup there, may we write, is it guarded, does the value change at all, would it cut below what is in use.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/change.h"
#include "weir/limits/guard.h"
#include "weir/model/container.h"

namespace weir::limits {

enum class Force { no, yes };

struct Wanted {
  std::string target;  ///< as the user wrote it
  Container container;
  std::vector<cgroup::Setting> settings;
};

struct Request {
  std::vector<Wanted> targets;
  Guarded guarded;
  Force force = Force::no;
};

struct Step {
  cgroup::Setting wanted;  ///< as asked for; the outcome's `after` is completed with what the cgroup has
  Outcome outcome;         ///< status dry_run: would be written
};

struct PlannedTarget {
  std::unique_ptr<cgroup::Dir> dir;  ///< null when it is gone or refused
  std::vector<Step> steps;           ///< in an order that the kernel accepts
};

struct Plan {
  std::vector<PlannedTarget> targets;
  Force force = Force::no;
  [[nodiscard]] std::vector<Outcome> outcomes() const;
  /// Whether nothing stands in the way: each step would be written, or is unchanged, or its target ended.
  [[nodiscard]] bool possible() const;
  /// Whether any step would be written.
  [[nodiscard]] bool has_work() const;
};

/// A container that several targets name is planned once, with the settings of all of them. Errors: invalid,
/// when settings contradict each other. All else is told by each step's outcome.
Result<Plan> make_plan(const cgroup::Dir& root, const Request& request);

/// The container's cgroup, unless it is guarded. Errors: gone, refused, absent (the root has no limits).
Result<std::unique_ptr<cgroup::Dir>> open_target(const cgroup::Dir& root, const Container& container,
                                                 const Guarded& guarded, Force force);

/// What setting `wanted` would do right now: dry_run, unchanged, or refused, failed, gone with the error.
Outcome look(const cgroup::Dir& dir, const cgroup::Setting& wanted, Force force);

/// Refused where writing `after` would take the limit below what is in use.
Result<void> check_use(const cgroup::Dir& dir, const cgroup::Setting& after);

/// One write of a plan.
struct Write {
  PlannedTarget* target;
  Step* step;
};

/// Every step of the plan in the order of its writes: what cuts before what raises, so that the sum never
/// overshoots; cuts from the children up, raises from the parents down, so that no level holds another one
/// back; in one cgroup as the kernel accepts.
std::vector<Write> write_order(Plan& plan);

/// Whether `a` must be written before `b` in the same cgroup: cpu.max.burst may never exceed the quota,
/// cpu.weight cannot be written while cpu.idle is 1.
bool goes_first(const Change& a, const Change& b);

/// Brings steps of one cgroup into an order that the kernel accepts all along. `change_of` gives the Change
/// of a step.
template <typename Step, typename ChangeOf>
void order_for_kernel(std::vector<Step>& steps, ChangeOf change_of) {
  // A handful of steps, and at most two pairs among them that matter.
  for (std::size_t a = 0; a < steps.size(); ++a) {
    for (std::size_t b = a + 1; b < steps.size(); ++b) {
      if (goes_first(change_of(steps[b]), change_of(steps[a]))) std::swap(steps[a], steps[b]);
    }
  }
}

}  // namespace weir::limits
