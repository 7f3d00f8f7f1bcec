// SPDX-License-Identifier: MIT
// The kernel's cgroup2 directories behind Dir. Reading rule: a control file made by one show() comes whole in
// one read, so a short read is its end; the two files that iterate (cgroup.procs, cgroup.threads) are read
// until 0.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {
namespace {

constexpr std::size_t kFileCap = std::size_t{16} << 20;

Fd open_below(int dir, const std::string& relative, int flags) {
  struct open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (;;) {
    const auto raw = static_cast<int>(::syscall(SYS_openat2, dir, relative.c_str(), &how, sizeof how));
    if (raw >= 0 || errno != EINTR) return Fd(raw);
  }
}

/// A removed directory loses its files, cgroup.controllers among them; a controller that is off leaves that
/// one there.
bool directory_lives(int dir) { return ::faccessat(dir, "cgroup.controllers", F_OK, 0) == 0; }

/// ENOENT and ENODEV mean two things each; the directory says which. ENODEV while it lives is io.max and its
/// like naming a device that is not there.
Error classify(int err, int dir, std::string subject, std::string doing) {
  Error error = errno_error(err, subject, doing);
  if (err != ENOENT && err != ENODEV) return error;
  if (!directory_lives(dir))
    error.kind = ErrorKind::gone;
  else
    error.kind = err == ENODEV ? ErrorKind::invalid : ErrorKind::absent;
  return error;
}

std::string join(std::string_view path, std::string_view name) {
  return path == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", path, name);
}

Result<void> check_component(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos)
    return std::unexpected(make_error(ErrorKind::invalid, name.substr(0, 256), "is not a plain file name"));
  return {};
}

bool iterates(std::string_view file) { return file == "cgroup.procs" || file == "cgroup.threads"; }

/// 0 or errno.
int read_from_start(int fd, bool until_empty, std::string& text) {
  char buffer[8192];
  off_t at = 0;
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kFileCap) return EFBIG;
    if (n == 0 || (!until_empty && static_cast<std::size_t>(n) < sizeof buffer)) return 0;
    at += n;
  }
}

/// 0 or errno. The kernel takes a control file's whole value in one call or refuses it. Not again after
/// EINTR: a signal is how a write that blocks in reclaim (memory.reclaim) is ended.
int write_at_start(int fd, std::string_view text) {
  const ssize_t n = ::pwrite(fd, text.data(), text.size(), 0);
  if (n < 0) return errno;
  return static_cast<std::size_t>(n) == text.size() ? 0 : EIO;
}

class KernelFile final : public File {
 public:
  KernelFile(Fd fd, std::shared_ptr<const Fd> dir, std::string dir_path, std::string name)
      : fd_(std::move(fd)), dir_(std::move(dir)), dir_path_(std::move(dir_path)), name_(std::move(name)) {}

  Result<void> write(std::string_view text) override {
    if (const int err = write_at_start(fd_.get(), text); err != 0) [[unlikely]]
      return std::unexpected(trouble(err, fmt::format("write \"{}\"", text.substr(0, 256))));
    return {};
  }

  Result<std::string> read() override {
    std::string text;
    if (const int err = read_from_start(fd_.get(), iterates_, text); err != 0)
      return std::unexpected(trouble(err, "read"));
    return text;
  }

  Result<std::string_view> read_into(std::span<char> buffer) override {
    std::size_t size = 0;
    for (;;) {
      const ssize_t n =
          ::pread(fd_.get(), buffer.data() + size, buffer.size() - size, static_cast<off_t>(size));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) [[unlikely]]
        return std::unexpected(trouble(errno, "read"));
      size += static_cast<std::size_t>(n);
      if (size == buffer.size()) return std::unexpected(trouble(EFBIG, "read"));
      if (n == 0 || !iterates_) return std::string_view(buffer.data(), size);
    }
  }

  [[nodiscard]] int fd() const override { return fd_.get(); }

 private:
  [[nodiscard]] Error trouble(int err, std::string doing) const {
    return classify(err, dir_->get(), join(dir_path_, name_), std::move(doing));
  }

  Fd fd_;
  std::shared_ptr<const Fd> dir_;  ///< to tell gone from absent
  std::string dir_path_, name_;
  bool iterates_ = iterates(name_);
};

class KernelDir final : public Dir {
 public:
  KernelDir(Fd fd, std::string path, CgroupId id)
      : Dir(std::move(path), id), shared_(std::make_shared<const Fd>(std::move(fd))), fd_(*shared_) {}

  [[nodiscard]] Result<std::string> read(std::string_view file) const override {
    WEIR_TRY(const Fd fd, open_file(file, O_RDONLY, "open"));
    std::string text;
    if (const int err = read_from_start(fd.get(), iterates(file), text); err != 0)
      return std::unexpected(trouble(err, file, "read"));
    return text;
  }

  [[nodiscard]] Result<void> write(std::string_view file, std::string_view text) override {
    const std::string doing = fmt::format("write \"{}\"", text.substr(0, 256));
    WEIR_TRY(const Fd fd, open_file(file, O_WRONLY, doing));
    if (const int err = write_at_start(fd.get(), text); err != 0)
      return std::unexpected(trouble(err, file, doing));
    return {};
  }

  [[nodiscard]] Result<std::unique_ptr<File>> keep(std::string_view file, Access access) const override {
    const int flags = access == Access::read ? O_RDONLY : access == Access::write ? O_WRONLY : O_RDWR;
    WEIR_TRY(Fd fd, open_file(file, flags, "open"));
    return std::make_unique<KernelFile>(std::move(fd), shared_, path(), std::string(file));
  }

  [[nodiscard]] Result<std::uint64_t> file_id(std::string_view file) const override {
    WEIR_CHECK(check_component(file));
    struct stat st{};
    if (::fstatat(fd_.get(), std::string(file).c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
      return std::unexpected(trouble(errno, file, "stat"));
    return st.st_ino;
  }

  [[nodiscard]] Result<std::unique_ptr<Dir>> open(std::string_view relative) const override {
    if (relative.empty() || relative.starts_with('/'))
      return std::unexpected(
          make_error(ErrorKind::invalid, relative.substr(0, 256), "is not a relative cgroup path"));
    WEIR_CHECK(check_path(fmt::format("/{}", relative)));
    Fd fd = open_below(fd_.get(), std::string(relative), O_RDONLY | O_DIRECTORY);
    if (!fd.valid()) return std::unexpected(trouble(errno, relative, "open"));
    return adopt(std::move(fd), join(path(), relative));
  }

  [[nodiscard]] Result<std::vector<std::string>> children() const override {
    std::vector<std::string> names;
    struct stat st{};
    if (::fstat(fd_.get(), &st) != 0) return std::unexpected(trouble(errno, "", "stat"));
    // kernfs counts sub-directories in the link count; a leaf, which most cgroups are, costs no listing.
    if (st.st_nlink == 2) return names;
    if (::lseek(fd_.get(), 0, SEEK_SET) < 0) return std::unexpected(trouble(errno, "", "rewind"));
    alignas(struct dirent64) char buffer[16384];
    for (;;) {
      const ssize_t n = ::getdents64(fd_.get(), buffer, sizeof buffer);
      if (n < 0) return std::unexpected(trouble(errno, "", "list"));
      if (n == 0) return names;
      for (ssize_t at = 0; at < n;) {
        const auto* entry = reinterpret_cast<const struct dirent64*>(buffer + at);
        const std::string_view name = entry->d_name;
        if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
        at += entry->d_reclen;
      }
    }
  }

  [[nodiscard]] Result<std::unique_ptr<Dir>> make(std::string_view name) override {
    WEIR_CHECK(check_component(name));
    const std::string text(name);
    if (::mkdirat(fd_.get(), text.c_str(), 0755) != 0) return std::unexpected(trouble(errno, name, "create"));
    return open(name);
  }

  [[nodiscard]] Result<void> remove(std::string_view name) override {
    WEIR_CHECK(check_component(name));
    const std::string text(name);
    if (::unlinkat(fd_.get(), text.c_str(), AT_REMOVEDIR) == 0) return {};
    Error error = trouble(errno, name, "remove");
    if (error.err == EBUSY) error.kind = ErrorKind::refused;
    return std::unexpected(std::move(error));
  }

  [[nodiscard]] bool alive() const override { return directory_lives(fd_.get()); }

  static Result<std::unique_ptr<Dir>> adopt(Fd fd, std::string path) {
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
    return std::make_unique<KernelDir>(std::move(fd), std::move(path), CgroupId(st.st_ino));
  }

 private:
  [[nodiscard]] Error trouble(int err, std::string_view name, std::string_view doing) const {
    return classify(err, fd_.get(), name.empty() ? path() : join(path(), name), std::string(doing));
  }

  [[nodiscard]] Result<Fd> open_file(std::string_view file, int flags, std::string_view doing) const {
    WEIR_CHECK(check_component(file));
    Fd fd = open_below(fd_.get(), std::string(file), flags | O_NOCTTY);
    if (!fd.valid()) return std::unexpected(trouble(errno, file, doing));
    return fd;
  }

  std::shared_ptr<const Fd> shared_;  ///< with the files that are kept
  const Fd& fd_;
};

}  // namespace

Result<std::unique_ptr<Dir>> open_root(const std::string& mount_point) {
  std::string mount = mount_point;
  if (mount.empty()) {
    WEIR_TRY(mount, find_mount_point());
  }
  Fd fd(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(errno_error(errno, mount, "open the cgroup2 mount point"));
  struct statfs fs{};
  if (::fstatfs(fd.get(), &fs) != 0) return std::unexpected(errno_error(errno, mount, "statfs"));
  if (fs.f_type != CGROUP2_SUPER_MAGIC)
    return std::unexpected(make_error(ErrorKind::absent, mount, "is no cgroup2 mount point",
                                      "weir needs cgroup v2: boot with systemd.unified_cgroup_hierarchy=1"));
  // Everything below is opened by it; without it there would seem to be nothing.
  if (!open_below(fd.get(), ".", O_PATH | O_DIRECTORY).valid() && errno == ENOSYS)
    return std::unexpected(make_error(
        ErrorKind::absent, "openat2()", "is not to be had",
        "Linux 5.6 has it; a sandbox may take it away, as RestrictSUIDSGID= of a systemd unit does"));
  return KernelDir::adopt(std::move(fd), "/");
}

}  // namespace weir::cgroup
