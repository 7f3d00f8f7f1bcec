// SPDX-License-Identifier: MIT
#include "weir/lab/disk.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <filesystem>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::lab {

namespace fs = std::filesystem;

Result<Disk> disk_below(const std::string& path, const HostPaths& paths) {
  struct stat st{};
  if (stat(path.c_str(), &st) != 0) return std::unexpected(errno_error(errno, path, "stat"));
  const std::string link = fmt::format("{}/dev/block/{}:{}", paths.sys, major(st.st_dev), minor(st.st_dev));
  std::error_code error;
  fs::path device = fs::canonical(link, error);
  if (error)
    return std::unexpected(make_error(ErrorKind::absent, path, "lies on no block device of its own"));
  if (fs::exists(device / "partition", error)) device = device.parent_path();
  WEIR_TRY(const std::string number, read_file(device / "dev"));
  return Disk{.number = std::string(trim(number)), .node = "/dev/" + device.filename().string()};
}

}  // namespace weir::lab
