// SPDX-License-Identifier: MIT
#pragma once
// Dir: one cgroup v2 directory, held by fd. Everything below it is opened through it (openat2 with BENEATH,
// NO_SYMLINKS, NO_MAGICLINKS, NO_XDEV), so a name or a symlink can never lead to another cgroup.
//
// A seam with two implementations: the kernel (kernel_dir.cpp) and the fake used by unit tests
// (tests/support/fake_cgroupfs.h). The same cases run against both (tests/system/cgroup_contract_test.cpp).
//
// Errors tell apart: gone (the cgroup was removed: ENODEV on a held file, or ENOENT while cgroup.controllers
// is gone as well), absent (the directory lives, the file is not there: controller off or kernel too old),
// refused, invalid.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir::cgroup {

/// A control file kept open: one syscall per read or write, whole value at offset 0. Not shared between
/// threads.
class File {
 public:
  virtual ~File() = default;
  virtual Result<void> write(std::string_view text) = 0;
  virtual Result<std::string> read() = 0;
  /// The same into `buffer`, of which the text is a part: nothing is allocated. Failed where it does not fit.
  virtual Result<std::string_view> read_into(std::span<char> buffer) = 0;
  /// To wait on (EPOLLPRI) where the file tells of changes; still this object's. -1: it is not the kernel's.
  [[nodiscard]] virtual int fd() const = 0;
};

enum class Access { read, write, read_write };

class Dir {
 public:
  virtual ~Dir() = default;

  /// Path below the mount point: "/" or "/a/b". For messages and identity, never for opening.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] CgroupId id() const { return id_; }

  /// The whole text of a control file.
  [[nodiscard]] virtual Result<std::string> read(std::string_view file) const = 0;
  /// One write() of the whole text; reads nothing back.
  [[nodiscard]] virtual Result<void> write(std::string_view file, std::string_view text) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<File>> keep(std::string_view file, Access access) const = 0;
  /// The inode of a control file: what BPF knows it by.
  [[nodiscard]] virtual Result<std::uint64_t> file_id(std::string_view file) const = 0;
  /// Opens the cgroup at a relative path ("a/b"; no "..", no leading slash, not empty).
  [[nodiscard]] virtual Result<std::unique_ptr<Dir>> open(std::string_view relative) const = 0;
  /// Names of the child cgroups, in no particular order.
  [[nodiscard]] virtual Result<std::vector<std::string>> children() const = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Dir>> make(std::string_view name) = 0;
  /// rmdir of a child: refused (EBUSY) while it has processes or children.
  [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;
  /// Whether the cgroup still exists.
  [[nodiscard]] virtual bool alive() const = 0;

 protected:
  Dir(std::string path, CgroupId id) : path_(std::move(path)), id_(id) {}

 private:
  std::string path_;
  CgroupId id_;
};

/// The root: `mount_point`, or where it is empty the first cgroup2 mount in /proc/self/mountinfo
/// (/sys/fs/cgroup preferred). Checked with fstatfs to be cgroup2; absent with the reason on a v1-only host.
Result<std::unique_ptr<Dir>> open_root(const std::string& mount_point);
/// The mount point that open_root("") would take.
Result<std::string> find_mount_point();

/// "/a/b" from root: validates (absolute, no "..", no empty or "." component, no NUL) then root.open(). "/"
/// is refused with invalid: use the root itself.
Result<std::unique_ptr<Dir>> open_path(const Dir& root, std::string_view path);
/// Whether `path` is a well-formed cgroup path below the mount point ("/" or "/a/b").
Result<void> check_path(std::string_view path);

}  // namespace weir::cgroup
