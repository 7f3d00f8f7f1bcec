// SPDX-License-Identifier: MIT
#pragma once
// Child programs, run to their end: by absolute path, in a clean environment, bounded in time, their output
// kept. And Interrupts: Ctrl-C held back while things are half made, so that they can be taken away first.

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::spawn {

/// While it lives SIGINT and SIGTERM wait. They are delivered, and end the process, when it is destroyed. One
/// at a time.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  Interrupts(Interrupts&&) = delete;
  Interrupts& operator=(Interrupts&&) = delete;
  /// Whether one of them waits.
  [[nodiscard]] static bool pending();
  /// From here on pending() is false, until the next signal: for the tidying up. The signal is not forgotten.
  void put_aside();

 private:
  sigset_t before_{};
  int aside_ = 0;
};

/// The absolute path of `name` in the usual folders of programs; absent where it is in none.
Result<std::string> find_tool(std::string_view name);

/// Runs argv[0] (absolute) and returns its standard output. A status other than 0 is failed, with the end of
/// what it wrote to standard error. Ended early by the timeout or by a pending interrupt.
Result<std::string> run_tool(const std::vector<std::string>& argv, std::chrono::seconds timeout);

}  // namespace weir::spawn
