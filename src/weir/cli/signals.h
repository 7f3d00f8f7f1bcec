// SPDX-License-Identifier: MIT
#pragma once
// The signals that end a command that stays, as a file descriptor to wait on beside others.

#include <chrono>
#include <optional>
#include <span>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::cli {

/// SIGINT, SIGTERM and SIGHUP, and `also`, from now on: blocked, and readable here.
Result<Fd> open_signals(std::span<const int> also = {});
/// The next one that came, without waiting.
std::optional<int> take_signal(const Fd& signals);

/// Waits until one of `fds` (-1: none) is readable, at most until `until` (CLOCK_MONOTONIC). True when it is
/// the first of them.
bool wait_for(std::span<const int> fds, std::chrono::nanoseconds until);

}  // namespace weir::cli
