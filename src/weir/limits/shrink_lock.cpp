// SPDX-License-Identifier: MIT
#include "weir/limits/shrink_lock.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace weir::limits {
namespace {

constexpr const char* kFile = "limits.shrinking";

struct flock byte_of(CgroupId cgroup) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(cgroup.count() & (~std::uint64_t{0} >> 1U));
  lock.l_len = 1;
  return lock;
}

}  // namespace

Result<ShrinkLock> ShrinkLock::take(const Journal& journal, std::span<const CgroupId> cgroups) {
  Fd file(::openat(journal.directory(), kFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file.valid()) return std::unexpected(errno_error(errno, kFile, "open"));
  for (const CgroupId cgroup : cgroups) {
    struct flock lock = byte_of(cgroup);
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0) continue;
    if (errno != EAGAIN && errno != EACCES) return std::unexpected(errno_error(errno, kFile, "lock"));
    return std::unexpected(make_error(ErrorKind::refused, "", "another weir is shrinking it", "try again"));
  }
  return ShrinkLock(std::move(file));
}

bool is_shrinking(const Journal& journal, CgroupId cgroup) {
  const Fd file(::openat(journal.directory(), kFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return false;
  struct flock lock = byte_of(cgroup);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<bool> await_shrinks(Journal& journal, std::span<const CgroupId> cgroups,
                           const std::function<bool()>& interrupted) {
  constexpr std::chrono::milliseconds kPause{20};
  const auto busy = [&](CgroupId cgroup) { return is_shrinking(journal, cgroup); };
  bool waited = false;
  for (auto left = journal.lock_wait(); std::ranges::any_of(cgroups, busy); left -= kPause) {
    if (left <= std::chrono::milliseconds(0))
      return std::unexpected(
          make_error(ErrorKind::failed, "", "another weir is shrinking its memory and has not finished",
                     "try again, or end that one, which takes its change back: pgrep -a weir"));
    if (interrupted && interrupted())
      return std::unexpected(make_error(ErrorKind::failed, "", "interrupted"));
    journal.unlock();
    waited = true;
    std::this_thread::sleep_for(kPause);
    WEIR_CHECK(journal.lock());
  }
  return waited;
}

}  // namespace weir::limits
