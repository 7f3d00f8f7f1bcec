// SPDX-License-Identifier: MIT
#pragma once
// Points in time as people write them on a command line.

#include <chrono>
#include <string_view>

#include "weir/base/error.h"

namespace weir::cli {

/// Since the Unix epoch; `now` as well. In local time unless the text names another zone:
///
///   03:12  03:12:30                       today, or yesterday where that is still to come
///   2026-11-21  2026-11-21 03:12[:30]     that day
///   2026-11-21T03:12:30Z  …+01:00         RFC 3339
///   10m  -10m  10m ago  2d  now           that long ago
///
/// Invalid: anything else, and days that no calendar has.
Result<std::chrono::nanoseconds> parse_when(std::string_view text, std::chrono::nanoseconds now);

}  // namespace weir::cli
