// SPDX-License-Identifier: MIT
#pragma once
// The time of day in front of a line of a command that stays.

#include <chrono>
#include <string>

namespace weir::cli {

/// "12:03:04" in local time; `time` is since the Unix epoch.
std::string clock_text(std::chrono::nanoseconds time);

}  // namespace weir::cli
