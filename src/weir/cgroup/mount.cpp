// SPDX-License-Identifier: MIT
#include "weir/cgroup/mount.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "weir/base/fd.h"
#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"

namespace weir::cgroup {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// mountinfo writes blank, tab, newline and backslash as \ooo.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

int rank(std::string_view mount_point) {
  if (mount_point == "/sys/fs/cgroup") return 0;
  if (mount_point == "/sys/fs/cgroup/unified") return 1;
  return 2;
}

bool is_cgroup2(int fd) {
  struct statfs fs{};
  return ::fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

}  // namespace

std::vector<std::string> cgroup2_mounts(std::string_view mountinfo) {
  // 41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw     (proc_pid_mountinfo(5))
  std::vector<std::string> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const auto fields = words(line);
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (dash - fields.begin() < 6 || fields.end() - dash < 2 || *(dash + 1) != "cgroup2") continue;
    mounts.push_back(unescape_octal(fields[4]));
  }
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  return mounts;
}

Result<std::string> find_mount_point() {
  WEIR_TRY(const std::string mountinfo, read_file("/proc/self/mountinfo", 16 * kSmallFile));
  std::string usable;
  for (const std::string& mount : cgroup2_mounts(mountinfo)) {
    const Fd fd(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || !is_cgroup2(fd.get())) continue;  // hidden below another mount, or not for us
    // The host's real root has no cgroup.events. Inside a container our own /sys/fs/cgroup is only a part of
    // the tree; the host's, where it is mounted as well, is what we are after.
    if (::faccessat(fd.get(), "cgroup.events", F_OK, 0) != 0 && errno == ENOENT) return mount;
    if (usable.empty()) usable = mount;
  }
  if (!usable.empty()) return usable;
  return std::unexpected(
      make_error(ErrorKind::absent, "cgroup2", "is not mounted on this host",
                 "boot with systemd.unified_cgroup_hierarchy=1, or name a mount with --cgroup-root"));
}

}  // namespace weir::cgroup
