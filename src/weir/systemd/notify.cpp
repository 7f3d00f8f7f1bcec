// SPDX-License-Identifier: MIT
#include "weir/systemd/notify.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "weir/base/text.h"
#include "weir/systemd/datagram.h"

namespace weir::systemd {
namespace {

using std::chrono::nanoseconds;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

std::optional<Notifier> Notifier::from_environment() {
  const std::string socket = take_variable("NOTIFY_SOCKET"), usec = take_variable("WATCHDOG_USEC"),
                    pid = take_variable("WATCHDOG_PID");
  nanoseconds watchdog{0};
  const bool ours = pid.empty() || parse_u64(pid) == static_cast<std::uint64_t>(::getpid());
  if (const auto value = parse_u64(usec); value && ours && *value < UINT32_MAX)
    watchdog = std::chrono::microseconds(static_cast<std::int64_t>(*value));
  return open(socket, watchdog);
}

std::optional<Notifier> Notifier::open(std::string socket, nanoseconds watchdog) {
  if (!socket.starts_with('/') && !socket.starts_with('@')) return std::nullopt;
  auto fd = open_datagram_socket();
  if (!fd) return std::nullopt;
  return Notifier(std::move(socket), std::move(*fd), watchdog);
}

void Notifier::send(std::string_view text) { static_cast<void>(send_datagram(socket_, path_, text)); }

void Notifier::ready(std::string_view status) {
  send("READY=1");
  this->status(status);
}

void Notifier::status(std::string_view status) {
  if (status == status_) return;
  status_ = status;
  std::string line = status_;
  std::ranges::replace(line, '\n', ' ');  // or it would be another assignment
  send(fmt::format("STATUS={}", line));
}

void Notifier::progress(nanoseconds now) {
  if (watchdog_.count() == 0 || (told_ && now - *told_ < watchdog_ / 4)) return;
  told_ = now;
  send("WATCHDOG=1");
}

void Notifier::stopping() { send("STOPPING=1"); }

}  // namespace weir::systemd
