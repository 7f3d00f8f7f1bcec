// SPDX-License-Identifier: MIT
// Pressure files are opened for a trigger and closed at once; they are never read in a loop here (reading
// destroys stall time for every reader).
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "weir/base/fd.h"
#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::string_view kNoPsi = "boot with psi=1 (a kernel built with CONFIG_PSI=y)";

/// The effective set of this thread without CAP_SYS_RESOURCE, until the end of the scope. Raw system calls:
/// libcap is not needed for two of them.
class WithoutSysResource {
 public:
  WithoutSysResource() {
    if (syscall(SYS_capget, &header_, before_) != 0) return;
    __user_cap_data_struct lowered[2] = {before_[0], before_[1]};
    lowered[0].effective &= ~(1U << CAP_SYS_RESOURCE);
    lowered_ = syscall(SYS_capset, &header_, lowered) == 0;
  }
  ~WithoutSysResource() {
    if (lowered_) syscall(SYS_capset, &header_, before_);
  }
  WithoutSysResource(const WithoutSysResource&) = delete;
  WithoutSysResource& operator=(const WithoutSysResource&) = delete;
  WithoutSysResource(WithoutSysResource&&) = delete;
  WithoutSysResource& operator=(WithoutSysResource&&) = delete;

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct before_[2]{};
  bool lowered_ = false;
};

/// 0, or the errno with which the kernel refused a trigger of this window.
int try_trigger(const HostPaths& paths, microseconds window) {
  const Fd fd(open((paths.proc + "/pressure/memory").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return errno;
  // The files in /proc need the final NUL; a tenth of the window, so that nothing fires by chance.
  const std::string text = fmt::format("some {} {}", window.count() / 10, window.count());
  return write(fd.get(), text.c_str(), text.size() + 1) < 0 ? errno : 0;
}

}  // namespace

Finding pressure_files(const HostPaths& paths) {
  const auto text = read_file(paths.proc + "/pressure/memory");
  if (text && text->starts_with("some ")) return yes("there, for CPU, memory and I/O");
  constexpr std::string_view kCost = "weir cannot say who is suffering, only who is using";
  if (!text) return no(text.error(), kCost, kNoPsi);
  return no("the file says something else", kCost, kNoPsi);
}

Finding pressure_triggers(const HostPaths& paths) {
  std::string accepted;
  bool short_ones = false;
  int refused = 0;
  for (const milliseconds window :
       {milliseconds(10), milliseconds(500), milliseconds(2'000), milliseconds(10'000)}) {
    if (const int error = try_trigger(paths, window); error != 0) {
      refused = error;
      continue;
    }
    accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", format_duration(window));
    short_ones = short_ones || window <= milliseconds(500);
  }
  if (short_ones) return yes("windows accepted: " + accepted);
  constexpr std::string_view kFix = "run as root (CAP_SYS_RESOURCE)";
  if (!accepted.empty())
    return partial("windows accepted: " + accepted,
                   "a stall is noticed after some 2 s instead of within milliseconds", kFix);
  return no(errno_error(refused, paths.proc + "/pressure/memory", "set a trigger"),
            "pressure is read once a second instead of being told", kFix);
}

Finding pressure_triggers_for_users(const HostPaths& paths) {
  const WithoutSysResource lowered;
  const int error = try_trigger(paths, milliseconds(2'000));
  if (error == 0) return yes("windows of 2 s and its multiples");
  return no(errno_error(error, paths.proc + "/pressure/memory", "set a trigger"),
            "who lacks CAP_SYS_RESOURCE is not told of pressure, and must read the files",
            "Linux 6.5 and later");
}

}  // namespace weir::doctor
