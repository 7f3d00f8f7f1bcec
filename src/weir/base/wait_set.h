// SPDX-License-Identifier: MIT
#pragma once
// WaitSet: file descriptors to wait on together, each with a number that its owner knows it by. An epoll, and
// never one within another: a PSI trigger forgets that it fired once it was looked at, and waiting on an
// epoll that holds it looks at it.

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir {

struct Ready {
  std::uint64_t number = 0;
  std::uint32_t events = 0;  ///< EPOLLIN, EPOLLPRI, EPOLLERR, …
};

class WaitSet {
 public:
  static Result<WaitSet> open();

  /// Until it is closed; EPOLLONESHOT in `events`: once, and again after rearm().
  Result<void> add(int fd, std::uint32_t events, std::uint64_t number);
  void rearm(int fd, std::uint32_t events, std::uint64_t number);

  /// Those that are ready, at the latest at `until` (CLOCK_MONOTONIC); valid until the next call.
  std::span<const Ready> wait(std::chrono::nanoseconds until);

 private:
  explicit WaitSet(Fd epoll) : epoll_(std::move(epoll)) {}
  Fd epoll_;
  std::vector<Ready> ready_;
};

}  // namespace weir
