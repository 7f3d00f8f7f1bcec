// SPDX-License-Identifier: MIT
#include "weir/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace weir {

Result<std::string> read_all(int fd, std::string_view name, std::size_t cap) {
  std::string text;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error(errno, name, "read"));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > cap) return std::unexpected(errno_error(EFBIG, name, "read"));
  }
}

Result<std::string> read_file_at(int dirfd, const std::string& path, std::size_t cap) {
  const Fd fd(::openat(dirfd, path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
  if (!fd.valid()) return std::unexpected(errno_error(errno, path, "open"));
  return read_all(fd.get(), path, cap);
}

Result<std::string> read_file(const std::string& path, std::size_t cap) {
  return read_file_at(AT_FDCWD, path, cap);
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(errno_error(errno, name, "write"));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode, Durable durable) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) return std::unexpected(errno_error(errno, temporary, "create"));
  const auto fail = [&](Error error) -> Result<void> {
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(error));
  };
  if (auto written = write_all(fd.get(), bytes, temporary); !written) return fail(std::move(written).error());
  if (durable == Durable::yes && ::fsync(fd.get()) != 0) return fail(errno_error(errno, temporary, "fsync"));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail(errno_error(errno, path, "rename"));
  if (durable == Durable::yes) {
    const std::size_t slash = path.rfind('/');
    const Fd dir(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(),
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (dir.valid() && ::fsync(dir.get()) != 0)
      return std::unexpected(errno_error(errno, path, "fsync of the directory"));
  }
  return {};
}

Result<Fd> open_private_directory(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    if (::mkdir(path.substr(0, at).c_str(), 0755) != 0 && errno != EEXIST && errno != EROFS)
      return std::unexpected(errno_error(errno, path.substr(0, at), "mkdir"));
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return std::unexpected(errno_error(errno, path, "mkdir"));
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return std::unexpected(errno_error(errno, path, "open"));
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
  if (st.st_uid != ::geteuid() || (st.st_mode & 022U) != 0)
    return std::unexpected(
        make_error(ErrorKind::refused, path, "belongs to someone else or can be written by others",
                   fmt::format("make it yours: chown {} {} && chmod go-w {}", ::geteuid(), path, path)));
  return fd;
}

}  // namespace weir
