// SPDX-License-Identifier: MIT
#include "weir/limits/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/text.h"

namespace weir::limits {
namespace {

constexpr std::array<std::string_view, 17> kUnits = {
    "init.scope",     "ssh.service",        "sshd.service",        "ssh@*.service",     "sshd@*.service",
    "docker.service", "containerd.service", "kubelet.service",     "crio.service",      "weir.service",
    "weir-*.service", "dbus.service",       "dbus-broker.service", "systemd-*.service", "openrc.sshd",
    "openrc.docker",  "openrc.containerd",
};

bool is_slice(std::string_view name) { return name.ends_with(".slice"); }

bool is_same_or_above(std::string_view path, std::string_view other) {
  return path == "/" || other == path ||
         (other.starts_with(path) && other.size() > path.size() && other[path.size()] == '/');
}

/// /user.slice/user-UID.slice/session-N.scope
bool is_session_of(std::string_view path, std::uint32_t user) {
  return glob_match(fmt::format("/user.slice/user-{}.slice/session-*.scope", user), path) &&
         std::ranges::count(path, '/') == 3;
}

}  // namespace

bool is_guarded_unit(std::string_view path) {
  if (!path.starts_with('/')) return false;
  const std::vector<std::string_view> names = split(path.substr(1), '/');
  if (!std::all_of(names.begin(), names.end() - 1, is_slice)) return false;
  return std::ranges::any_of(kUnits, [&](std::string_view unit) { return glob_match(unit, names.back()); });
}

std::optional<std::string> guard(std::string_view path, const Guarded& guarded,
                                 const std::vector<std::string>& units_below) {
  if (path == "/") return "is the whole host";
  if (is_guarded_unit(path)) return "keeps the host running or reachable";
  if (!guarded.own_cgroup.empty() && guarded.own_cgroup != "/" && is_same_or_above(path, guarded.own_cgroup))
    return "holds this very session";
  if (guarded.user && is_session_of(path, *guarded.user)) return "is a login session of yours";
  for (const std::string& unit : units_below) {
    if (is_same_or_above(path, unit)) return fmt::format("holds {}", unit);
  }
  return std::nullopt;
}

Result<std::vector<std::string>> find_guarded_below(const cgroup::Dir& slice) {
  std::vector<std::string> found;
  const std::string& path = slice.path();
  if (path != "/" && !is_slice(path)) return found;
  WEIR_TRY(const std::vector<std::string> names, slice.children());
  for (const std::string& name : names) {
    std::string below = path == "/" ? "/" + name : path + "/" + name;
    if (is_guarded_unit(below)) found.push_back(std::move(below));
    if (!is_slice(name)) continue;
    const auto child = slice.open(name);
    if (!child) continue;  // ended meanwhile
    const auto deeper = find_guarded_below(**child);
    if (deeper) found.insert(found.end(), deeper->begin(), deeper->end());
  }
  return found;
}

}  // namespace weir::limits
