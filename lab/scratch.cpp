// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "workload.h"
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace weir::lab {

Result<Fd> open_scratch(const std::string& directory) {
  std::string path = directory + "/weir-lab.XXXXXX";
  Fd fd(mkostemp(path.data(), O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(errno_error(errno, directory, "create a file"));
  unlink(path.c_str());
  struct statfs fs{};
  if (fstatfs(fd.get(), &fs) != 0) return std::unexpected(errno_error(errno, directory, "statfs"));
  if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
    return std::unexpected(make_error(ErrorKind::invalid, directory, "is memory (tmpfs), not a disk",
                                      "name a directory on a disk with --path"));
  return fd;
}

void die(const Error& error) {
  std::fprintf(stderr, "weir-lab: %s\n", error.message().c_str());
  std::_Exit(1);
}

}  // namespace weir::lab
