// SPDX-License-Identifier: MIT
#pragma once
// History: what the records of a journal add up to. Pure: records in, changes out.
//
// Changes of one place (knob of a cgroup) that are in force form a chain: each one's `before` is the `after`
// of the one that it stands on. Undo walks the chain backwards; undoing one in the middle links its
// neighbours.

#include <cstddef>
#include <map>
#include <vector>

#include "weir/limits/change.h"

namespace weir::limits {

struct History {
  std::vector<Change> changes;  ///< ordered by id, each as its last record has it
  std::size_t damaged = 0;      ///< records that could not be read
  std::size_t other_boot = 0;   ///< records of another boot, which are over
};

/// The last record of each change, ordered by id. `records` in the order in which they were written.
std::vector<Change> latest(std::vector<Change> records);

/// The chains in force, oldest change first. Pointers into `changes`.
std::map<Place, std::vector<Change*>> chains(std::vector<Change>& changes);

/// Whether someone else set the place after `earlier` and before `later`, which stands on it.
bool others_between(const Change& earlier, const Change& later);

struct Keep {
  std::size_t steps = 16;    ///< changes of one place that stay apart; older ones are merged into one
  std::size_t ended = 1000;  ///< undone, failed and gone changes, the newest
};
/// What a shorter journal must hold: the newest ended changes, and every chain with at most `steps` changes.
/// Where a chain is longer its oldest are merged, those of one reason with nobody between them first: each
/// into the next, which takes over its `before`. So every undo still works, undoing all still ends at the
/// first value, and what a controller changed a thousand times is still apart from what people did.
std::vector<Change> compact(std::vector<Change> changes, const Keep& keep);

}  // namespace weir::limits
