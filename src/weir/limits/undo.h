// SPDX-License-Identifier: MIT
#pragma once
// Undo: takes changes back, from the journal and the kernel alone, so that it works after a kill -9 at any
// point. A knob is put back only if its cgroup is still the same one (by id) and still holds what Weir wrote;
// anything else is told and needs force. Nothing is cut below what is in use without force either.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/shrink_plan.h"

namespace weir::limits {

struct Selection {
  enum class Kind { last, all, epoch, reason };
  Kind kind = Kind::last;
  std::uint64_t epoch = 0;  ///< for Kind::epoch
  std::chrono::nanoseconds time{
      0};  ///< for Kind::epoch: when it was made; another journal may have the same epoch
  /// For Kind::reason: the newest of each place, as long as they have that one; back to what someone else set
  /// meanwhile, where someone did.
  std::string reason = {};
};

/// How a cut below what is in use is taken. asked: refused without force. timed (--for): the user asked for
/// the old value at this time, so only a memory.max that would kill is refused. A memory.max that reclaim can
/// make room for is shrunk first (shrink_plan.h) in both.
enum class Manner { asked, timed };

struct UndoOrder {
  Selection selection;
  Force force = Force::no;
  Manner manner = Manner::asked;
  std::string by;     ///< who takes it back, for the journal's note
  Patience patience;  ///< for each memory.max that has to be shrunk first
};

/// In each outcome's change `before` is what the kernel held and `after` what it was to hold again. Status
/// unchanged: there was nothing to put back, and the note says why.
struct UndoResult {
  std::vector<Outcome> outcomes;
  /// The first error of the journal itself (a full disk): what was put back is put back, but not noted.
  std::optional<Error> trouble;
};

/// The history that undo() needs, once nobody else shrinks what `order` takes back. Errors: the journal's;
/// failed when that does not end.
Result<History> read_settled(const cgroup::Dir& root, Journal& journal, const UndoOrder& order);

/// Takes back what `order` selects. Without a journal it only says what it would do (status dry_run).
UndoResult undo(const cgroup::Dir& root, History history, Journal* journal, const UndoOrder& order);

/// The cgroup of a change; gone if it ended or its path belongs to another cgroup now.
Result<std::unique_ptr<cgroup::Dir>> open_cgroup(const cgroup::Dir& root, const Change& change);

}  // namespace weir::limits
