// SPDX-License-Identifier: MIT
#pragma once
// Records: a directory in which a runtime keeps what it knows about its containers, read from outside. The
// directory itself may be reached through symlinks of the administrator (a moved /var/lib/docker), within the
// host's root; below it no symlink is followed, only regular files are read, and sizes and counts are capped.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/model/host_paths.h"

namespace weir::container {

class Records {
 public:
  static constexpr std::size_t kLargestFile = std::size_t{4} << 20;
  static constexpr std::size_t kMostEntries = 20'000;

  enum class Owner {
    root,  ///< a path that only root can change
    user,  ///< a path that a user can change: no symlink anywhere on it
  };

  /// `path` is absolute on the host (HostPaths::host_root goes in front). absent where it is not there.
  static Result<Records> open(const HostPaths& paths, std::string_view path, Owner owner = Owner::root);
  /// A directory below this one.
  [[nodiscard]] Result<Records> below(const std::string& relative) const;
  /// A regular file below this directory.
  [[nodiscard]] Result<std::string> read(const std::string& relative, std::size_t cap = kLargestFile) const;
  /// Names in this directory, sorted, without dot files; failed beyond kMostEntries.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  Records(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

}  // namespace weir::container
