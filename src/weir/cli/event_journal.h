// SPDX-License-Identifier: MIT
#pragma once
// An event as an entry of the systemd journal: what a person reads, how bad it is, and fields to search by.

#include <string>
#include <string_view>
#include <vector>

#include "weir/model/event.h"
#include "weir/systemd/journal.h"

namespace weir::cli {

/// `json` is the event as event_json() makes it.
std::vector<systemd::JournalField> journal_fields(const Event& event, std::string json);
/// The MESSAGE_ID of all events of a kind: 32 hex digits that stay what they are.
std::string_view message_id(EventKind kind);

}  // namespace weir::cli
