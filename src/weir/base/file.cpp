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

namespace {

/// Whether others than root, the effective user and `also` could write to it.
bool others_could_write(const struct stat& status, std::optional<uid_t> also) {
  const bool ours = status.st_uid == 0 || status.st_uid == ::geteuid() || status.st_uid == also;
  const bool group_may = (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0;
  return !ours || group_may || (status.st_mode & S_IWOTH) != 0;
}

std::unexpected<Error> distrusted(std::string_view path) {
  return std::unexpected(make_error(ErrorKind::refused, path, "others could have written it or put it there",
                                    "it must be a file of yours or of root's, in such a folder, that nobody "
                                    "else can write"));
}

/// Of the folder and all above it.
Result<void> check_folders(Fd folder, std::string_view path, std::optional<uid_t> also) {
  struct stat status{}, below{};
  for (;;) {
    if (::fstat(folder.get(), &status) != 0) return std::unexpected(errno_error(errno, path, "stat"));
    if (status.st_dev == below.st_dev && status.st_ino == below.st_ino) return {};  // the root
    const bool sticky = (status.st_mode & S_ISVTX) != 0 && status.st_uid == 0;
    if (!sticky && others_could_write(status, also)) return distrusted(path);
    below = status;
    folder = Fd(::openat(folder.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid()) return std::unexpected(errno_error(errno, path, "look above its folder"));
  }
}

}  // namespace

Result<Fd> open_trusted(const std::string& path, std::optional<uid_t> also) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  Fd folder(::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(),
                   O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return std::unexpected(errno_error(errno, path, "open"));
  Fd file(::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (!file.valid() && errno == ELOOP)
    return std::unexpected(
        make_error(ErrorKind::refused, path, "is a symbolic link", "name the file itself"));
  struct stat status{};
  if (!file.valid() || ::fstat(file.get(), &status) != 0)
    return std::unexpected(errno_error(errno, path, "open"));
  if (!S_ISREG(status.st_mode))
    return std::unexpected(make_error(ErrorKind::refused, path, "is no regular file"));
  if (others_could_write(status, also)) return distrusted(path);
  WEIR_CHECK(check_folders(std::move(folder), path, also));
  return file;
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
