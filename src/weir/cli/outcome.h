// SPDX-License-Identifier: MIT
#pragma once
// How `set` and `undo` show what became of each knob of each target.

#include <cstdint>
#include <vector>

#include "weir/cli/command.h"
#include "weir/limits/change.h"
#include "weir/limits/sync_record.h"

namespace weir::cli {

/// A setting's value alone, for people: "1.5 cpus (150000/100000)", "512M", "max".
std::string value_text(const cgroup::Setting& setting);

/// What is told about gone targets: `set` could not do what was asked (exit code 4), `undo` has nothing left
/// to do.
enum class Gone { is_failure, is_fine };

/// Prints one line for each outcome, or the JSON of scripts; what went wrong goes to stderr with its hint.
/// Returns the exit code: that of the first failure, else 4 where a target is gone.
/// `synced` is what Docker and systemd were told besides (JSON alone; print_syncs is for people).
int show(const Session& session, const std::vector<limits::Outcome>& outcomes, std::uint64_t epoch, Gone gone,
         const std::vector<limits::SyncRecord>& synced = {});

}  // namespace weir::cli
