// SPDX-License-Identifier: MIT
// Container runtimes: reached where they listen, else found by their program and what they keep on disk. A
// runtime that is not installed costs nothing: there is nothing of it to see.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/docker/client.h"
#include "weir/doctor/themes.h"
#include "weir/spawn/tool.h"
#include "weir/systemd/bus.h"

namespace weir::doctor {
namespace {

constexpr std::string_view kNothing = "nothing, unless you want its containers here";

bool installed(const HostPaths& paths, std::string_view program) {
  for (const char* folder : {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/usr/local/sbin"})
    if (access(paths.host(fmt::format("{}/{}", folder, program)).c_str(), F_OK) == 0) return true;
  return false;
}

/// What `program --version` says, shortened to its first word with a digit; not asked where the host is only
/// looked at from a container, whose programs are others.
std::string version_of(const HostPaths& paths, std::string_view program) {
  if (!paths.host_root.empty()) return "version unknown";
  const auto path = spawn::find_tool(program);
  if (!path) return "version unknown";
  const auto text = spawn::run_tool({*path, "--version"}, std::chrono::seconds(10));
  if (!text) return "version unknown";
  for (const std::string_view word : words(*text))
    if (word.front() >= '0' && word.front() <= '9') return std::string(word.substr(0, 40));
  return "version unknown";
}

bool listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return fd.valid() && connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Finding docker(const HostPaths& paths) {
  if (!installed(paths, "docker") && !installed(paths, "dockerd"))
    return no("not installed", kNothing, "install docker.io or docker-ce");
  constexpr std::string_view kCost = "Docker's containers go by their cgroups' paths, without name and image";
  auto client = docker::Client::connect(
      {.socket = paths.host(docker::kDockerSocket), .timeout = std::chrono::milliseconds(15'000)});
  if (!client)
    return no(client.error(), kCost,
              client.error().kind == ErrorKind::refused ? "run as root, or join the group docker"
                                                        : "systemctl start docker");
  const auto info = client->info();
  if (!info) return no(info.error(), kCost, "systemctl restart docker");
  return yes(fmt::format("{}, {} cgroup driver", info->server_version, info->cgroup_driver));
}

Finding podman(const HostPaths& paths) {
  if (!installed(paths, "podman")) return no("not installed", kNothing, "install podman");
  return yes(fmt::format("{}; {}", version_of(paths, "podman"),
                         listens(paths.host(docker::kPodmanSocket))
                             ? "its service listens"
                             : "read from its files, its service is off"));
}

Finding lxc(const HostPaths& paths) {
  if (!installed(paths, "lxc-start")) return no("not installed", kNothing, "install lxc");
  return yes(version_of(paths, "lxc-start"));
}

Finding containerd_or_crio(const HostPaths& paths) {
  std::string found;
  if (listens(paths.host("/run/containerd/containerd.sock")))
    found = fmt::format("containerd {}", version_of(paths, "containerd"));
  if (listens(paths.host("/run/crio/crio.sock")))
    found += fmt::format("{}cri-o {}", found.empty() ? "" : ", ", version_of(paths, "crio"));
  if (!found.empty()) return yes(found);
  if (installed(paths, "containerd") || installed(paths, "crio"))
    return no(geteuid() == 0 ? "installed, but nobody listens"
                             : "installed; its socket cannot be looked at without root",
              "containers of Kubernetes go without their names while it is down",
              "systemctl start containerd (or crio)");
  return no("not installed", kNothing, "install containerd or CRI-O");
}

Finding systemd_manager(const HostPaths& paths) {
  constexpr std::string_view kCost =
      "services cannot be named as unit:…, the lab uses plain cgroups, and set --for leaves a guardian "
      "process of its own";
  if (!systemd::is_running(paths)) return no("not the init of this host", kCost, "a host with systemd");
  auto bus = systemd::Bus::connect();
  if (!bus) return no(bus.error(), kCost, "install libsystemd0 and dbus");
  const auto version = bus->version();
  if (!version) return no(version.error(), kCost, "systemctl status dbus");
  return yes(*version);
}

}  // namespace weir::doctor
