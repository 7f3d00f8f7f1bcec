// SPDX-License-Identifier: MIT
#pragma once
// Event: something that happened to the host or to one container, as it is written to the event log. Plain
// values, no I/O. Strings may hold hostile bytes; escape at the output.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "weir/model/frame.h"

namespace weir {

enum class EventKind : std::uint8_t {
  psi_spike,      ///< tasks wait for a resource for more than the threshold
  cpu_throttled,  ///< its CPU limit holds it back in more than the threshold of its periods
  memory_high,    ///< it went over memory.high
  memory_max,     ///< it ran into memory.max
  oom_kill,       ///< a process of it was killed for want of memory
  io_stall,       ///< all its tasks wait for IO for more than the threshold
  limit_changed,
  container_started,
  container_ended,
  soft_limit_raised,   ///< by weir control, since the limit was the cause
  soft_limit_lowered,  ///< the load has gone
  hard_limit_reached,  ///< it needs more than it may ever have; nothing was changed
  raise_refused,       ///< a raise could not help, or the host has none left
  ml_adjustment,       ///< what a model suggested, and whether it was done
  ml_effective,        ///< after that it was no longer held back
  ml_no_improvement,   ///< it still was
  ml_fallback,         ///< a model is not asked any more
};
inline constexpr std::size_t kEventKinds = 17;
/// "psi_spike", …
std::string_view to_string(EventKind kind);
std::optional<EventKind> parse_event_kind(std::string_view text);

/// What lasts begins and ends; what does not is once.
enum class EventState : std::uint8_t { once, begin, end };
std::string_view to_string(EventState state);

struct Event {
  EventKind kind = EventKind::psi_spike;
  EventState state = EventState::once;
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
  std::optional<Subject> subject;    ///< nullopt: the host
  /// Name and value of what it was judged by, in the order in which they are shown.
  using Value = std::variant<std::int64_t, double, std::string>;
  std::vector<std::pair<std::string, Value>> details;
  bool operator==(const Event&) const = default;
};

}  // namespace weir
