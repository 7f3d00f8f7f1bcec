// SPDX-License-Identifier: MIT
#pragma once
// StayLock: one `weir guard` and one `weir control` a host, since two of a kind would hold different values
// against each other; and which process it is. The lock ends with the process.

#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"

namespace weir::limits {

enum class Stay { guard, control };

/// Held until the result is closed. Errors: refused, where another process holds it (its pid is named), or
/// run_dir is not ours alone.
Result<Fd> take_stay_lock(const std::string& run_dir, Stay which);

/// The process that holds it; nothing where none does, or where that cannot be asked.
std::optional<Pid> find_staying(const std::string& run_dir, Stay which);

}  // namespace weir::limits
