// SPDX-License-Identifier: MIT
#include "weir/container/records.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "weir/base/file.h"

namespace weir::container {
namespace {

Fd open_at(int dirfd, const char* path, int flags, std::uint64_t resolve) {
  const struct open_how how{
      .flags = static_cast<std::uint64_t>(flags | O_CLOEXEC), .mode = 0, .resolve = resolve};
  return Fd(static_cast<int>(::syscall(SYS_openat2, dirfd, path, &how, sizeof how)));
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

constexpr std::uint64_t kBelow = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

}  // namespace

Result<Records> Records::open(const HostPaths& paths, std::string_view path, Owner owner) {
  const std::string full = paths.host(path);
  const Fd root(
      ::open(paths.host_root.empty() ? "/" : paths.host_root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return std::unexpected(errno_error(errno, paths.host_root, "open"));
  // In the host's root: an absolute symlink there must not lead into the root of the container that weir runs
  // in.
  const std::uint64_t resolve =
      RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (owner == Owner::user ? RESOLVE_NO_SYMLINKS : 0);
  Fd fd = open_at(root.get(), std::string(path).c_str(), O_RDONLY | O_DIRECTORY, resolve);
  if (!fd.valid()) return std::unexpected(errno_error(errno, full, "open"));
  return Records(std::move(fd), full);
}

Result<Records> Records::below(const std::string& relative) const {
  const std::string full = fmt::format("{}/{}", path_, relative);
  Fd fd = open_at(fd_.get(), relative.c_str(), O_RDONLY | O_DIRECTORY, kBelow);
  if (!fd.valid()) return std::unexpected(errno_error(errno, full, "open"));
  return Records(std::move(fd), full);
}

Result<std::string> Records::read(const std::string& relative, std::size_t cap) const {
  const std::string full = fmt::format("{}/{}", path_, relative);
  // O_NONBLOCK: opening a FIFO must not hang before fstat can say that it is one.
  const Fd fd = open_at(fd_.get(), relative.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY, kBelow);
  if (!fd.valid()) return std::unexpected(errno_error(errno, full, "open"));
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return std::unexpected(errno_error(errno, full, "stat"));
  if (!S_ISREG(st.st_mode))
    return std::unexpected(make_error(ErrorKind::failed, full, "is not a regular file"));
  return read_all(fd.get(), full, cap);
}

Result<std::vector<std::string>> Records::names() const {
  Fd fd = open_at(fd_.get(), ".", O_RDONLY | O_DIRECTORY, kBelow);
  if (!fd.valid()) return std::unexpected(errno_error(errno, path_, "open"));
  const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(fd.get()));
  if (!dir) return std::unexpected(errno_error(errno, path_, "list"));
  static_cast<void>(fd.release());  // the DIR owns it now
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = ::readdir(dir.get()); errno = 0) {
    if (entry->d_name[0] == '.') continue;
    if (names.size() == kMostEntries)
      return std::unexpected(
          make_error(ErrorKind::failed, path_, fmt::format("has more than {} entries", kMostEntries)));
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return std::unexpected(errno_error(errno, path_, "list"));
  std::ranges::sort(names);
  return names;
}

}  // namespace weir::container
