// SPDX-License-Identifier: MIT
#include "weir/base/wait_set.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace weir {

using std::chrono::nanoseconds;

Result<WaitSet> WaitSet::open() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return std::unexpected(errno_error(errno, "epoll", "make"));
  return WaitSet(std::move(epoll));
}

Result<void> WaitSet::add(int fd, std::uint32_t events, std::uint64_t number) {
  epoll_event wanted{.events = events, .data = {.u64 = number}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted) == 0) return {};
  return std::unexpected(errno_error(errno, "epoll", "wait for one more file"));
}

void WaitSet::rearm(int fd, std::uint32_t events, std::uint64_t number) {
  epoll_event wanted{.events = events, .data = {.u64 = number}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &wanted);
}

std::span<const Ready> WaitSet::wait(nanoseconds until) {
  const nanoseconds now(std::chrono::steady_clock::now().time_since_epoch());
  // Rounded up: a millisecond early would be a turn for nothing.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(until - now, nanoseconds(0)));
  std::array<epoll_event, 64> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 static_cast<int>(std::min<std::int64_t>(left.count(), INT32_MAX)));
  ready_.clear();
  for (int n = 0; n < count; ++n) {
    const epoll_event& event = events.at(static_cast<std::size_t>(n));
    ready_.push_back({.number = event.data.u64, .events = event.events});
  }
  return ready_;
}

}  // namespace weir
