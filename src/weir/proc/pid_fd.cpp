// SPDX-License-Identifier: MIT
#include "weir/proc/pid_fd.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace weir::proc {

Result<PidFd> PidFd::open(Pid pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid.count(), 0)));
  if (!fd.valid())
    return std::unexpected(errno_error(errno, fmt::format("process {}", pid.count()), "open its pidfd"));
  return PidFd(pid, std::move(fd));
}

bool PidFd::alive() const {
  struct pollfd poll{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) == 0;
}

Result<void> PidFd::send_signal(int signal) const {
  if (::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0) == 0) return {};
  return std::unexpected(
      errno_error(errno, fmt::format("process {}", pid_.count()), fmt::format("send signal {}", signal)));
}

}  // namespace weir::proc
