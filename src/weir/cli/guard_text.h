// SPDX-License-Identifier: MIT
#pragma once
// What `weir guard` says of an event: a line for people, an object for machines.

#include <string>

#include "weir/base/json.h"
#include "weir/limits/watch.h"

namespace weir::cli {

/// "12:03:04 web: cpu.max 0.5 cpus … -> …": without the newline; hostile bytes are escaped.
std::string guard_text(const limits::WatchEvent& event);
Json guard_json(const limits::WatchEvent& event);

}  // namespace weir::cli
