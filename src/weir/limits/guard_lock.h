// SPDX-License-Identifier: MIT
#pragma once
// GuardLock: one `weir guard` a host, since two would hold different values against each other; and which
// process it is. The lock ends with the process.

#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"

namespace weir::limits {

/// Held until the result is closed. Errors: refused, where another process holds it (its pid is named), or
/// run_dir is not ours alone.
Result<Fd> take_guard_lock(const std::string& run_dir);

/// The process that holds it; nothing where none does, or where that cannot be asked.
std::optional<Pid> find_guard(const std::string& run_dir);

}  // namespace weir::limits
