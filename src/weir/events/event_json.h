// SPDX-License-Identifier: MIT
#pragma once
// An event as one line of JSON, the form in which it is logged and printed (docs/reference/watch.md), and
// back.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/model/event.h"

namespace weir::events {

/// Without the newline.
std::string event_json(const Event& event);
/// The event that a line tells; what the line does not say of its container (labels) is missing. Invalid: it
/// is no event, or one of a kind that this Weir does not know.
Result<Event> parse_event_json(std::string_view line);
/// How much a line says was lost to a full disk; nullopt: it says no such thing.
std::optional<std::uint64_t> parse_lost(std::string_view line);

}  // namespace weir::events
