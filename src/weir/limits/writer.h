// SPDX-License-Identifier: MIT
#pragma once
// Writer: carries a plan out as one change. For each step: look again (under the journal's lock), journal the
// intent, write, read back, journal what became of it. When a step fails, the ones before it are taken back.
// The only place, with undo, that writes a limit.

#include <chrono>
#include <functional>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/shrink_plan.h"

namespace weir::limits {

struct Order {
  Caller who;
  std::string reason;
  std::chrono::nanoseconds restore_after{0};  ///< --for; 0: never
  /// Called once, before the first write, with what identifies these changes: arranges that they are taken
  /// back after restore_after. An error stops everything.
  std::function<Result<void>(const Change& first)> arrange_restore;
  Patience patience;  ///< with cuts of memory that have to be shrunk first
};

/// What was done, and what it took: the record before and after each write, and the writes with their reading
/// back.
struct Applied {
  std::uint64_t epoch = 0;  ///< 0 when nothing was to be written
  std::chrono::nanoseconds journal{0}, write{0};
};

/// Carries out the steps that would be written, those that have to be shrunk first (shrink_plan.h), then the
/// others in write_order(), and puts their fate into the plan. When one
/// is refused or fails, those before it are taken back (rolled_back) and those behind it are not tried
/// (refused). A container that ended meanwhile (gone) is no failure. What cannot be taken back, because
/// someone else wrote it since or more is in use by now, stays in force and in the journal, with an error
/// that says so. Errors: arrange_restore's; failed when another weir does not finish shrinking one of them,
/// or the journal could not be locked again after shrinking: then `changes` and `undo` know what was done.
Result<Applied> apply(Plan& plan, Journal& journal, const Clock& clock, const Order& order);

/// Writes `change.after` and reads it back. On a failure puts `before` back where the kernel took neither. On
/// return the change's phase and note say how it ended.
Outcome write_change(cgroup::Dir& dir, Change change);

}  // namespace weir::limits
