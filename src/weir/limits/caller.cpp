// SPDX-License-Identifier: MIT
#include "weir/limits/caller.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::limits {
namespace {

std::string user_name(std::uint32_t uid) {
  char buffer[4096];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
    return found->pw_name;
  return fmt::format("uid {}", uid);
}

}  // namespace

Result<std::string> read_boot_id(const HostPaths& paths) {
  WEIR_TRY(const std::string text, read_file(paths.proc + "/sys/kernel/random/boot_id"));
  return std::string(trim(text));
}

Caller read_caller(const HostPaths& paths) {
  Caller caller{.uid = ::getuid(), .login_uid = {}, .sudo_user = {}};
  if (const auto text = read_file(paths.proc + "/self/loginuid")) {
    // 4294967295 (-1) is a process that nobody logged in for: a service, or a container.
    const auto uid = parse_u64(trim(*text));
    if (uid && *uid < std::numeric_limits<std::uint32_t>::max())
      caller.login_uid = static_cast<std::uint32_t>(*uid);
  }
  if (const char* user = std::getenv("SUDO_USER")) caller.sudo_user = std::string(user).substr(0, 256);
  return caller;
}

std::string read_own_cgroup(const HostPaths& paths) {
  const auto text = read_file(paths.proc + "/self/cgroup");
  if (!text) return {};
  for (const std::string_view line : split(*text, '\n')) {
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return {};
}

std::string describe(const Caller& caller) {
  const std::string name = user_name(caller.uid);
  if (caller.login_uid && *caller.login_uid != caller.uid)
    return fmt::format("{} ({})", name, user_name(*caller.login_uid));
  if (!caller.sudo_user.empty() && caller.sudo_user != name)
    return fmt::format("{} ({})", name, caller.sudo_user);
  return name;
}

}  // namespace weir::limits
