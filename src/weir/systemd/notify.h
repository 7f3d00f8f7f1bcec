// SPDX-License-Identifier: MIT
#pragma once
// Notifier: tells the service manager that started us how we are (sd_notify(3)): ready, what we do, still
// alive, stopping. It is one datagram to a socket that the environment names; no library is needed. What
// cannot be sent is not our failure: the manager draws its own conclusions.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/fd.h"

namespace weir::systemd {

class Notifier {
 public:
  /// nullopt where no manager waits for word. Takes the variables out of the environment, so that no child
  /// speaks for us.
  static std::optional<Notifier> from_environment();
  /// `watchdog`: how long we may be silent; 0: no watchdog.
  static std::optional<Notifier> open(std::string socket, std::chrono::nanoseconds watchdog);

  void ready(std::string_view status);
  /// Sent only where it changed.
  void status(std::string_view status);
  /// To be called whenever work was really done; `now` is CLOCK_MONOTONIC. Tells the watchdog often enough.
  void progress(std::chrono::nanoseconds now);
  void stopping();

 private:
  Notifier(std::string path, Fd socket, std::chrono::nanoseconds watchdog)
      : path_(std::move(path)), socket_(std::move(socket)), watchdog_(watchdog) {}
  void send(std::string_view text);

  std::string path_;
  Fd socket_;
  std::chrono::nanoseconds watchdog_;
  std::optional<std::chrono::nanoseconds> told_;
  std::string status_;
};

}  // namespace weir::systemd
