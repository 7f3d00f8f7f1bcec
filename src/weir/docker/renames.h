// SPDX-License-Identifier: MIT
#pragma once
// Renames: the Engine's stream of events, of which only renames are asked for: everything else about a
// container's life is seen on its cgroup. That something came is all that is taken from it; who is called
// what is read from the records, so nothing of the stream is parsed or believed. Never waits: a daemon that
// is away, restarts or hangs costs one attempt every ten seconds.

#include <chrono>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/fd.h"

namespace weir::docker {

class Renames {
 public:
  /// `clock` outlives it.
  Renames(std::string socket, const Clock& clock) : socket_(std::move(socket)), clock_(clock) {}

  /// Whether names may have changed since the last call: true also once after each connection, for what was
  /// missed before it.
  bool take();

 private:
  void connect();

  std::string socket_;
  const Clock& clock_;
  Fd stream_;
  std::chrono::nanoseconds again_{0};  ///< CLOCK_MONOTONIC: not connected before
};

}  // namespace weir::docker
