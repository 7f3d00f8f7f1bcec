// SPDX-License-Identifier: MIT
#include "weir/lab/context.h"

#include <unistd.h>

#include <filesystem>

namespace weir::lab {

namespace fs = std::filesystem;

Result<std::string> find_context(const std::string& executable) {
  const fs::path prefix = fs::path(executable).parent_path().parent_path();
  for (const char* below : {"lab", "share/weir/lab"}) {
    const fs::path context = prefix / below;
    std::error_code error;
    if (fs::exists(context / "Dockerfile", error) && fs::exists(context / "weir-lab", error))
      return context.string();
  }
  return std::unexpected(make_error(ErrorKind::absent, (prefix / "lab").string(),
                                    "no build context of the lab image here",
                                    "build the target lab_context, or install the package"));
}

Result<std::string> find_context() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return std::unexpected(errno_error(error.value(), "/proc/self/exe", "read the link"));
  return find_context(self.string());
}

}  // namespace weir::lab
