// SPDX-License-Identifier: MIT
// Cgroup paths as people and runtimes write them: checked before anything is opened.
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {

Result<void> check_path(std::string_view path) {
  const auto bad = [&](std::string_view why) -> Result<void> {
    return std::unexpected(make_error(ErrorKind::invalid, path.substr(0, 256), why,
                                      "a cgroup path looks like /system.slice/foo"));
  };
  if (path.size() > 4096) return bad("is longer than 4096 bytes");
  if (!path.starts_with('/')) return bad("is no cgroup path: it must start with /");
  if (path.find('\0') != std::string_view::npos) return bad("has a NUL in it");
  if (path == "/") return {};
  for (const std::string_view part : split(path.substr(1), '/')) {
    if (part.empty()) return bad("has an empty part: // or a slash at the end");
    if (part == "." || part == "..") return bad("has a part . or .., which is refused");
  }
  return {};
}

Result<std::unique_ptr<Dir>> open_path(const Dir& root, std::string_view path) {
  WEIR_CHECK(check_path(path));
  if (path == "/") return std::unexpected(make_error(ErrorKind::invalid, path, "is the root cgroup itself"));
  return root.open(path.substr(1));
}

}  // namespace weir::cgroup
