// SPDX-License-Identifier: MIT
#pragma once
// Stages: the kernel's events of one write, read as times since the start of the call. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "weir/bpf/limit_write_event.h"
#include "weir/latency/method.h"

namespace weir::latency {

using Nanos = std::uint64_t;

/// By Stage, since the start of the call; nullopt: not seen (no hook, or it did not happen in time).
using StageTimes = std::array<std::optional<Nanos>, 4>;

inline std::optional<Nanos>& at(StageTimes& times, Stage stage) {
  return times.at(static_cast<std::size_t>(stage));
}
inline const std::optional<Nanos>& at(const StageTimes& times, Stage stage) {
  return times.at(static_cast<std::size_t>(stage));
}

/// One write that is being timed, on CLOCK_MONOTONIC.
struct Call {
  Nanos start_ns = 0, end_ns = 0;
  std::optional<std::uint32_t> writer;  ///< the process that must do the write (direct methods); nullopt: any
};

/// Times of the call, the first write of the file, and the first success of its handler after that.
StageTimes read_call(const Call& call, std::span<const limit_write_event> events);

/// What `events` say about the first effect of the write. Absent `at_ns` says nothing yet, or never, with
/// `why`.
struct FirstEffect {
  std::optional<Nanos> at_ns;  ///< since the start of the call
  enum class Why { seen, not_yet, not_throttled_before } why = Why::not_yet;
};

/// A cut of cpu.max: the first throttle after the handler was done (an old quota may still throttle before).
FirstEffect first_throttle(const Call& call, const StageTimes& times,
                           std::span<const limit_write_event> events);
/// A raise of cpu.max: the first time that a task runs after the write reached the kernel; only if the last
/// that was seen of the cgroup before was a throttle. The tasks are released inside of the handler, so they
/// may run before it is done.
FirstEffect first_run(const Call& call, const StageTimes& times, std::span<const limit_write_event> events);
/// A cut of a memory limit: the first reclaim after the write reached the kernel.
FirstEffect first_reclaim(const Call& call, const StageTimes& times,
                          std::span<const limit_write_event> events);

}  // namespace weir::latency
