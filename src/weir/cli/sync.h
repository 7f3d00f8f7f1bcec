// SPDX-License-Identifier: MIT
#pragma once
// How `set --sync`, `sync`, `undo` and `status` tell Docker and systemd, and show what came of it.

#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/command.h"
#include "weir/limits/history.h"
#include "weir/limits/plan.h"
#include "weir/limits/settle.h"

namespace weir::cli {

/// The containers of a request whose limits changed, with those changes: what their runtimes do not know.
struct Audience {
  std::vector<limits::SyncRequest> untold;
  std::vector<std::string> nobody;  ///< names of those that nobody has to be told about
};
/// A knob that holds the value already counts where the journal says that it was set before.
Audience audience(const limits::Request& request, const std::vector<limits::Outcome>& outcomes,
                  limits::History history, const std::string& boot_id);

/// "docker update", "systemctl set-property …": what would undo a change that the runtime does not know of.
std::string would_undo(const limits::Subject& subject);

/// Tells them: notes it durably, and then either starts `weir sync` or, waiting, does it here. The records as
/// they are then.
enum class Wait { no, yes };
Result<std::vector<limits::SyncRecord>> tell_runtimes(const Session& session, const cgroup::Dir& root,
                                                      const Audience& audience, Wait wait);

/// Settles all records once. `earlier` as in limits::SettleOrder.
Result<limits::Settled> settle_once(const Session& session, const cgroup::Dir& root,
                                    limits::EarlierBoots earlier);

bool any_failed(const std::vector<limits::SyncRecord>& records);

/// A line for each record and its notes, for people; failures on stderr.
enum class What { limits, old_values };
void print_syncs(const Session& session, const std::vector<limits::SyncRecord>& records, What what);

}  // namespace weir::cli
