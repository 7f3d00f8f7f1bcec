// SPDX-License-Identifier: MIT
#pragma once
// What `weir latency` prints for people: tables, distributions, the four averages, and all that could not be
// timed.

#include <string>

#include "weir/latency/report.h"

namespace weir::cli {

/// At most `columns` wide where that is 80 or more; escaped, ready to print.
std::string latency_text(const latency::Report& report, std::size_t columns);

}  // namespace weir::cli
