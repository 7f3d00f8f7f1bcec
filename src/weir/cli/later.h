// SPDX-License-Identifier: MIT
#pragma once
// What of a command is done after it has ended: this very program is started again, by systemd where it runs
// (limits/restore.h), with the same folders.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace weir::cli {

/// Runs `weir WORDS…` after `after` (0: at once), whatever happens to this process. `name` is of the units
/// that systemd makes for it.
Result<void> run_weir_later(const HostPaths& paths, std::string name, std::vector<std::string> words,
                            std::chrono::nanoseconds after);

}  // namespace weir::cli
