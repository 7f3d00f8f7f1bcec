// SPDX-License-Identifier: MIT
#include "weir/model/event.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array<std::string_view, kEventKinds> kNames = {
    "psi_spike",          "cpu_throttled",      "memory_high",       "memory_max",      "oom_kill",
    "io_stall",           "limit_changed",      "container_started", "container_ended", "soft_limit_raised",
    "soft_limit_lowered", "hard_limit_reached", "raise_refused",     "ml_adjustment",   "ml_effective",
    "ml_no_improvement",  "ml_fallback"};

}  // namespace

std::string_view to_string(EventKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> parse_event_kind(std::string_view text) {
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<EventKind>(found - kNames.begin());
}

std::string_view to_string(EventState state) {
  switch (state) {
    case EventState::once:
      return "once";
    case EventState::begin:
      return "begin";
    case EventState::end:
      return "end";
  }
  return "?";
}

}  // namespace weir
