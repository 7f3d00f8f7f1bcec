// SPDX-License-Identifier: MIT
#include "weir/container/anchor.h"

#include <fmt/format.h>

#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/docker/containers.h"

namespace weir::container {
namespace {

std::unexpected<Error> invalid(std::string_view text, std::string_view what) {
  return std::unexpected(make_error(ErrorKind::invalid, text, what));
}

}  // namespace

Result<std::string> slice_path(std::string_view slice) {
  constexpr std::string_view kSuffix = ".slice";
  if (!slice.ends_with(kSuffix) || slice.find('/') != std::string_view::npos)
    return invalid(slice, "is no slice's name");
  if (slice == "-.slice") return std::string();
  const std::string_view stem = slice.substr(0, slice.size() - kSuffix.size());
  std::string path;
  for (std::size_t dash = stem.find('-');; dash = stem.find('-', dash + 1)) {
    const std::string_view prefix = stem.substr(0, dash);
    if (prefix.empty() || prefix.ends_with('-')) return invalid(slice, "is no slice's name");
    path += fmt::format("/{}{}", prefix, kSuffix);
    if (dash == std::string_view::npos) break;
  }
  WEIR_CHECK(cgroup::check_path(path));
  return path;
}

Result<std::string> oci_cgroup_path(std::string_view cgroups_path) {
  if (cgroups_path.empty()) return invalid(cgroups_path, "the record names no cgroup");
  if (!cgroups_path.starts_with('/')) {
    const auto parts = split(cgroups_path, ':');
    if (parts.size() == 3) {
      WEIR_TRY(std::string path, slice_path(parts[0].empty() ? "system.slice" : parts[0]));
      if (parts[1].contains('/') || parts[2].contains('/') || parts[2] == "-.slice")
        return invalid(cgroups_path, "names no unit that a container can have");
      if (parts[2].ends_with(".slice")) return slice_path(parts[2]);
      path += parts[1].empty() ? fmt::format("/{}.scope", parts[2])
                               : fmt::format("/{}-{}.scope", parts[1], parts[2]);
      WEIR_CHECK(cgroup::check_path(path));
      return path;
    }
  }
  std::string path =
      cgroups_path.starts_with('/') ? std::string(cgroups_path) : fmt::format("/{}", cgroups_path);
  WEIR_CHECK(cgroup::check_path(path));
  if (path == "/") return invalid(cgroups_path, "is the root of all cgroups");
  return path;
}

std::string_view scope_id(std::string_view name, std::string_view prefix) {
  constexpr std::string_view kSuffix = ".scope";
  if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) return {};
  name.remove_prefix(prefix.size());
  if (!name.starts_with('-')) return {};
  name.remove_prefix(1);
  name.remove_suffix(std::min(name.size(), kSuffix.size()));
  return docker::is_full_id(name) ? name : std::string_view();
}

std::string_view id_in_path(std::string_view path) {
  const std::string_view name = last_component(path);
  for (std::size_t at = 0; at + 64 <= name.size(); ++at)
    if (docker::is_full_id(name.substr(at, 64))) return name.substr(at, 64);
  return {};
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace weir::container
