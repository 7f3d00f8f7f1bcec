// SPDX-License-Identifier: MIT
#pragma once
// An event as one line of JSON, the form in which it is logged and printed (docs/reference/watch.md).

#include <string>

#include "weir/model/event.h"

namespace weir::events {

/// Without the newline.
std::string event_json(const Event& event);

}  // namespace weir::events
