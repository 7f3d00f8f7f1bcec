// SPDX-License-Identifier: MIT
#include "weir/latency/stages.h"

namespace weir::latency {
namespace {

/// The ring is not sorted between CPUs: the earliest event of a kind at or after `from_ns`.
std::optional<Nanos> earliest(std::span<const limit_write_event> events, std::uint32_t kind, Nanos from_ns,
                              const std::optional<std::uint32_t>& writer = std::nullopt) {
  std::optional<Nanos> first;
  for (const limit_write_event& event : events) {
    if (event.kind != kind || event.time_ns < from_ns || (writer && event.tgid != *writer)) continue;
    if (kind == LIMIT_WRITE_DONE && event.value < 0) continue;
    if (!first || event.time_ns < *first) first = event.time_ns;
  }
  return first;
}

FirstEffect effect_after(const Call& call, std::optional<Nanos> from, std::uint32_t kind,
                         std::span<const limit_write_event> events) {
  if (!from) return {};
  const std::optional<Nanos> seen = earliest(events, kind, call.start_ns + *from);
  if (!seen) return {};
  return {.at_ns = *seen - call.start_ns, .why = FirstEffect::Why::seen};
}

/// Where a hook of the write is missing, the start of the call is the latest moment known to be before it.
std::optional<Nanos> or_start(const std::optional<Nanos>& time) {
  return time ? time : std::optional<Nanos>(0);
}

}  // namespace

StageTimes read_call(const Call& call, std::span<const limit_write_event> events) {
  StageTimes times;
  at(times, Stage::call) = call.end_ns - call.start_ns;
  const std::optional<Nanos> entry = earliest(events, LIMIT_WRITE_ENTRY, call.start_ns, call.writer);
  if (entry) at(times, Stage::write_entry) = *entry - call.start_ns;
  const std::optional<Nanos> done =
      earliest(events, LIMIT_WRITE_DONE, entry.value_or(call.start_ns), call.writer);
  if (done) at(times, Stage::handler_done) = *done - call.start_ns;
  return times;
}

FirstEffect first_throttle(const Call& call, const StageTimes& times,
                           std::span<const limit_write_event> events) {
  return effect_after(call, at(times, Stage::handler_done), LIMIT_THROTTLED, events);
}

FirstEffect first_run(const Call& call, const StageTimes& times, std::span<const limit_write_event> events) {
  const std::optional<Nanos>& entry = at(times, Stage::write_entry);
  if (!entry) return {};
  const limit_write_event* last = nullptr;
  for (const limit_write_event& event : events) {
    if (event.kind != LIMIT_THROTTLED && event.kind != LIMIT_RAN) continue;
    if (event.time_ns < call.start_ns + *entry && (last == nullptr || event.time_ns >= last->time_ns))
      last = &event;
  }
  if (last == nullptr || last->kind != LIMIT_THROTTLED)
    return {.at_ns = std::nullopt, .why = FirstEffect::Why::not_throttled_before};
  return effect_after(call, entry, LIMIT_RAN, events);
}

FirstEffect first_reclaim(const Call& call, const StageTimes& times,
                          std::span<const limit_write_event> events) {
  return effect_after(call, or_start(at(times, Stage::write_entry)), LIMIT_RECLAIM, events);
}

}  // namespace weir::latency
