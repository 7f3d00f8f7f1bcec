// SPDX-License-Identifier: MIT
#include "weir/limits/stay_lock.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "weir/base/file.h"

namespace weir::limits {
namespace {

struct StayInfo {
  const char* name;
  const char* file;
  const char* hint;
};
const StayInfo& info(Stay which) {
  static constexpr StayInfo kGuard = {"guard", "guard.lock",
                                      "one looks after everything: give it a plan with all rules (-f)"};
  static constexpr StayInfo kControl = {"control", "control.lock",
                                        "one looks after everything: its configuration names all containers"};
  return which == Stay::guard ? kGuard : kControl;
}

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

Result<Fd> take_stay_lock(const std::string& run_dir, Stay which) {
  WEIR_TRY(const Fd directory, open_private_directory(run_dir, 0755));
  const StayInfo& stay = info(which);
  Fd file(::openat(directory.get(), stay.file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
  if (!file.valid())
    return std::unexpected(errno_error(errno, fmt::format("{}/{}", run_dir, stay.file), "open"));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_SETLK, &lock) == 0) return file;
  const auto pid = holder(file.get());
  return std::unexpected(make_error(ErrorKind::refused, stay.name,
                                    fmt::format("another weir {} runs on this host{}", stay.name,
                                                pid ? fmt::format(" (pid {})", pid->count()) : ""),
                                    stay.hint));
}

std::optional<Pid> find_staying(const std::string& run_dir, Stay which) {
  const Fd directory(::open(run_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!directory.valid()) return std::nullopt;
  const Fd file(::openat(directory.get(), info(which).file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file.valid() ? holder(file.get()) : std::nullopt;
}

}  // namespace weir::limits
