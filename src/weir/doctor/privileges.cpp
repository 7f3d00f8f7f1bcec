// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "weir/base/text.h"
#include "weir/doctor/host.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {

bool holds_capability(const HostPaths& paths, unsigned number) {
  const std::string status = text_of(paths.proc + "/self/status").value_or("");
  const std::size_t at = status.find("CapEff:");
  if (at == std::string::npos) return false;
  const auto fields = words(std::string_view(status).substr(at, status.find('\n', at) - at));
  std::uint64_t mask = 0;
  if (fields.size() != 2) return false;
  const auto [end, error] = std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), mask, 16);
  return error == std::errc() && end == fields[1].data() + fields[1].size() && (mask >> number & 1U) != 0;
}

Finding capability(const HostPaths& paths, unsigned number, std::string_view name, std::string_view cost) {
  if (holds_capability(paths, number)) return yes("held");
  return no("not held", cost, fmt::format("run as root, or give the service {}", name));
}

Finding host_namespaces(const HostPaths& paths) {
  // The first namespaces have fixed inode numbers (include/linux/proc_ns.h).
  struct Wanted {
    std::string_view name, first;
  };
  std::string others;
  for (const Wanted& wanted : {Wanted{"cgroup", "cgroup:[4026531835]"}, Wanted{"pid", "pid:[4026531836]"},
                               Wanted{"user", "user:[4026531837]"}}) {
    std::error_code error;
    const auto link =
        std::filesystem::read_symlink(fmt::format("{}/self/ns/{}", paths.proc, wanted.name), error);
    if (!error && link.string() != wanted.first)
      others += fmt::format("{}{}", others.empty() ? "" : ", ", wanted.name);
  }
  if (others.empty()) return yes("the host's own");
  return partial("in a container: its own namespace of " + others,
                 "what lies outside is not seen, or goes by other paths and pids",
                 "docker run --cgroupns host --pid host --privileged");
}

}  // namespace weir::doctor
