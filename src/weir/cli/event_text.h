// SPDX-License-Identifier: MIT
#pragma once
// One event as a line for people.

#include <string>

#include "weir/model/event.h"

namespace weir::cli {

/// "12:03:04 web: throttled in 90 % of its periods"; without the newline, escaped.
std::string event_text(const Event& event);
/// The same without the time in front.
std::string event_sentence(const Event& event);

}  // namespace weir::cli
