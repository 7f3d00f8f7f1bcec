// SPDX-License-Identifier: MIT
#pragma once
// Times in front of a line, for people.

#include <chrono>
#include <string>

namespace weir::cli {

/// "12:03:04" in local time; `time` is since the Unix epoch.
std::string clock_text(std::chrono::nanoseconds time);
/// "2026-11-21" in local time.
std::string day_text(std::chrono::nanoseconds time);
/// The time of day, behind its day where that is not the day of `now`: "2026-11-21 12:03:04".
std::string day_clock_text(std::chrono::nanoseconds time, std::chrono::nanoseconds now);

}  // namespace weir::cli
