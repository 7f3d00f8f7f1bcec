// SPDX-License-Identifier: MIT
#pragma once
// What the user sees and can do while memory is shrunk before a cut: a line of progress on the terminal once
// it has taken two seconds, and Ctrl-C (or SIGTERM, SIGHUP), which takes everything back.

#include <chrono>
#include <csignal>
#include <span>
#include <vector>

#include "weir/cli/command.h"
#include "weir/limits/shrink_plan.h"

namespace weir::cli {

/// While one lives those signals only ask. One at a time in a process.
class Shrinking {
 public:
  explicit Shrinking(const Session& session);
  ~Shrinking();
  Shrinking(const Shrinking&) = delete;
  Shrinking& operator=(const Shrinking&) = delete;

  /// For limits::Order; refers to this.
  limits::Patience patience(std::chrono::nanoseconds budget);

 private:
  void show(std::span<const limits::ShrinkView> views);

  const Session& session_;
  std::vector<struct sigaction> before_;
  std::chrono::steady_clock::time_point begin_, shown_;
  bool showing_ = false;  ///< the line stands on the terminal
};

}  // namespace weir::cli
