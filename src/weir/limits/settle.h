// SPDX-License-Identifier: MIT
#pragma once
// Settle: makes Docker and systemd agree with the journal of limits. What is in force and was set with --sync
// they are told; what was taken back since, they are told their old value again. The kernel's own value comes
// first in both directions: it is written by set or undo before, and here again where telling a runtime made
// the runtime write another one (rounded, or of a limit that it does not know).
//
// Safe to be killed at any point and to be run again: what a runtime said before is in its record (durable)
// before it is told anything, and every step asks what is so now.

#include <cstddef>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/change.h"
#include "weir/limits/runtimes.h"
#include "weir/limits/sync_record.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::limits {

/// Whom a container's limits are known to; invalid where nobody is: no Docker container, and its cgroup is no
/// unit's. Whether systemd really has that unit is asked when it is told.
Result<Subject> subject_of(const Container& container, CgroupId cgroup_id, const std::string& boot_id);

struct SyncRequest {
  Subject subject;
  std::vector<Change> changes;  ///< in force, of this subject
};
/// Notes in the subject's record that these changes are to be told. Durable. The record's notes say already
/// what systemd can only round (to `quota_step`).
Result<SyncRecord> ask_sync(const SyncStore& store, const SyncRequest& request, std::uint64_t quota_step,
                            const Clock& clock);

/// Of an earlier boot, whose journal is gone: which asks are to be taken back (by undo).
enum class EarlierBoots { leave, take_back_last, take_back_all };

/// Those that were worked on, as they are now.
struct Settled {
  std::vector<SyncRecord> told;        ///< that runtimes were told limits
  std::vector<SyncRecord> taken_back;  ///< that runtimes were told an old value again, of some knob at least
  std::size_t damaged = 0;
};

struct SettleOrder {
  const HostPaths& paths;
  const cgroup::Dir& root;
  const Clock& clock;
  std::string boot_id;
  EarlierBoots earlier = EarlierBoots::leave;
};

/// Works on every record that needs it. A failure is kept in its record and does not stop the others. Errors:
/// those of the store and the journal alone.
Result<Settled> settle(const SyncStore& store, const SettleOrder& order);

/// Where these settings, which the cgroup holds, differ from what its runtimes say; empty: they agree.
Result<std::vector<std::string>> disagreements(Runtimes& runtimes, const Subject& subject,
                                               const std::vector<cgroup::Setting>& settings,
                                               const cgroup::Dir& dir);

}  // namespace weir::limits
