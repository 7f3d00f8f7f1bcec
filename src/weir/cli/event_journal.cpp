// SPDX-License-Identifier: MIT
#include "weir/cli/event_journal.h"

#include <fmt/format.h>
#include <syslog.h>

#include <array>

#include "weir/cli/event_text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kShortId = 12;  // as Docker's own journal driver writes it

constexpr std::array<std::string_view, kEventKinds> kMessageIds = {
    "71edfb07f20b49849d120d19a857dea8",  // psi_spike
    "c5610a3d1aa34230954292c29a9cc256",  // cpu_throttled
    "a9a09261325e4c569a6cac756528b418",  // memory_high
    "ce6221728cc444418760e3ba1ab157f1",  // memory_max
    "c3a379cdf77642218eac47546187ee70",  // oom_kill
    "f0590328c2484c5ba9097b2049d71b5e",  // io_stall
    "6e4eca65319043e283e5aedfa6a0e608",  // limit_changed
    "498f6dd75bc745759e03ac15ae5fe3d1",  // container_started
    "0b609563f0e641fdb4caa1ba4b52bfb2",  // container_ended
    "5b03b0442aba47ecbd9bc6422e93d5a2",  // soft_limit_raised
    "8ee1daed913a477ab0038f53d04591c7",  // soft_limit_lowered
    "33fba5ccca364396abb8ebaba1320079",  // hard_limit_reached
    "d7df436e9f064c139298e98d42c11668",  // raise_refused
    "48de853c16734036b7f93476f8baacda",  // ml_adjustment
    "759763e732bc437cb36ff555018f83ec",  // ml_effective
    "e78df37ad2124e02b555cf6d1ad00e82",  // ml_no_improvement
    "9ff2cf920c384420bc6412683c5de972",  // ml_fallback
};
static_assert(!kMessageIds.back().empty(), "every kind of event has its own");

int priority(const Event& event) {
  if (event.state == EventState::end) return LOG_INFO;
  switch (event.kind) {
    case EventKind::oom_kill:
      return LOG_ERR;
    case EventKind::limit_changed:
    case EventKind::soft_limit_raised:
    case EventKind::soft_limit_lowered:
    case EventKind::ml_adjustment:
    case EventKind::ml_no_improvement:
      return LOG_NOTICE;
    case EventKind::container_started:
    case EventKind::container_ended:
    case EventKind::ml_effective:
      return LOG_INFO;
    default:
      return LOG_WARNING;
  }
}

}  // namespace

std::string_view message_id(EventKind kind) { return kMessageIds.at(static_cast<std::size_t>(kind)); }

std::vector<systemd::JournalField> journal_fields(const Event& event, std::string json) {
  std::vector<systemd::JournalField> fields = {
      {"MESSAGE", event_sentence(event)},
      {"PRIORITY", fmt::format("{}", priority(event))},
      {"MESSAGE_ID", std::string(message_id(event.kind))},
      {"SYSLOG_IDENTIFIER", "weir"},
      {"WEIR_EVENT", std::string(to_string(event.kind))},
      {"WEIR_STATE", std::string(to_string(event.state))},
      {"WEIR_SCOPE", event.subject ? "container" : "host"},
  };
  if (event.subject) {
    const Container& container = event.subject->container;
    fields.push_back({"CONTAINER_NAME", container.name});
    fields.push_back({"WEIR_RUNTIME", std::string(to_string(container.runtime))});
    fields.push_back({"WEIR_CGROUP", container.cgroup});
    if (!container.id.empty()) {
      fields.push_back({"CONTAINER_ID", container.id.substr(0, kShortId)});
      fields.push_back({"CONTAINER_ID_FULL", container.id});
    }
    if (!container.image.empty()) fields.push_back({"IMAGE_NAME", container.image});
  }
  fields.push_back({"WEIR_JSON", std::move(json)});
  return fields;
}

}  // namespace weir::cli
