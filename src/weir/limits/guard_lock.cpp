// SPDX-License-Identifier: MIT
#include "weir/limits/guard_lock.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "weir/base/file.h"

namespace weir::limits {
namespace {

constexpr const char* kFile = "guard.lock";

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// The kernel knows who: no pid is written anywhere, so none can be wrong.
std::optional<Pid> holder(int file) {
  struct flock lock = whole_file();
  if (::fcntl(file, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return Pid(lock.l_pid);
}

}  // namespace

Result<Fd> take_guard_lock(const std::string& run_dir) {
  WEIR_TRY(const Fd directory, open_private_directory(run_dir, 0755));
  Fd file(::openat(directory.get(), kFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!file.valid()) return std::unexpected(errno_error(errno, fmt::format("{}/{}", run_dir, kFile), "open"));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_SETLK, &lock) == 0) return file;
  const auto pid = holder(file.get());
  return std::unexpected(make_error(ErrorKind::refused, "guard",
                                    fmt::format("another weir guard runs on this host{}",
                                                pid ? fmt::format(" (pid {})", pid->count()) : ""),
                                    "one looks after everything: give it a plan with all rules (-f)"));
}

std::optional<Pid> find_guard(const std::string& run_dir) {
  const Fd directory(::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory.valid()) return std::nullopt;
  const Fd file(::openat(directory.get(), kFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file.valid() ? holder(file.get()) : std::nullopt;
}

}  // namespace weir::limits
