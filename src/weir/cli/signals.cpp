// SPDX-License-Identifier: MIT
#include "weir/cli/signals.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

namespace weir::cli {

using std::chrono::nanoseconds;

Result<Fd> open_signals(std::span<const int> also) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  for (const int signal : also) sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0)
    return std::unexpected(errno_error(errno, "signals", "block"));
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return std::unexpected(errno_error(errno, "signals", "open"));
  return fd;
}

std::optional<int> take_signal(const Fd& signals) {
  struct signalfd_siginfo info{};
  if (::read(signals.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

bool wait_for(std::span<const int> fds, nanoseconds until) {
  std::vector<struct pollfd> polls;
  polls.reserve(fds.size());
  for (const int fd : fds) polls.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  const nanoseconds now(std::chrono::steady_clock::now().time_since_epoch());
  const nanoseconds left = std::max(until - now, nanoseconds(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const struct timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  return ::ppoll(polls.data(), polls.size(), &time, nullptr) > 0 && !polls.empty() && polls[0].revents != 0;
}

}  // namespace weir::cli
