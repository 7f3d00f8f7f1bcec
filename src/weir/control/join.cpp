// SPDX-License-Identifier: MIT
#include "weir/control/join.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "weir/container/target.h"
#include "weir/limits/guard.h"

namespace weir::control {
namespace {

std::string name_of(Pid pid) { return fmt::format("process {}", pid.count()); }

std::unexpected<Error> refused(Pid pid, std::string_view why, std::string_view hint = {}) {
  return std::unexpected(
      make_error(ErrorKind::refused, name_of(pid), fmt::format("is not moved: {}", why), hint));
}

/// The container that `path` is, or is inside of; "" where there is none.
std::string container_around(const std::string& path, const HostPaths& paths, cgroup::Dir& root) {
  for (std::string level = path; level.size() > 1; level.resize(level.rfind('/'))) {
    const Container found = container::identify(level, paths, root);
    if (found.runtime != Runtime::none && found.runtime != Runtime::systemd) return found.name;
  }
  return {};
}

}  // namespace

Result<Joining> Joining::open(const HostPaths& paths, cgroup::Dir& root, Pid pid) {
  if (pid == Pid(1)) return refused(pid, "it is the host's init process");
  if (pid == Pid(::getpid())) return refused(pid, "it is this weir");
  auto held = proc::PidFd::open(pid);
  if (!held && (held.error().err == EINVAL || held.error().err == ENOENT))  // since Linux 6.13
    return refused(pid, "it is a thread", "give the number of its process: Tgid in /proc/PID/status");
  if (!held) return std::unexpected(std::move(held).error());
  WEIR_TRY(proc::Process process, proc::read_process(paths.proc, pid));
  if (process.kernel) return refused(pid, "it is a thread of the kernel");
  WEIR_TRY(std::string from, proc::read_cgroup_path(paths.proc, pid));
  if (limits::is_guarded_unit(from))
    return refused(pid, fmt::format("{} keeps the host running or reachable", from));
  if (const std::string name = container_around(from, paths, root); !name.empty())
    return refused(pid, fmt::format("it belongs to the container {}", name), "name the container instead");
  return Joining(std::move(*held), std::move(process), std::move(from), paths.proc);
}

bool Joining::is_same() const {
  const auto now = proc::read_process(proc_, held_.pid());
  return now && now->start == process_.start;
}

Result<void> Joining::join(cgroup::Dir& dir) const {
  if (!held_.alive() || !is_same())
    return std::unexpected(make_error(ErrorKind::gone, name_of(pid()), "has ended"));
  auto written = dir.write("cgroup.procs", fmt::format("{}", pid().count()));
  if (!written && written.error().err == EBUSY)
    return refused(
        pid(),
        fmt::format("{} has cgroups with limits below it, and processes can only be in those", dir.path()));
  WEIR_CHECK(written);
  // As long as it lives nobody else gets its number; else the write may have meant someone else.
  if (held_.alive() || is_same()) return {};
  if (proc::read_process(proc_, pid()))
    return std::unexpected(make_error(
        ErrorKind::failed, name_of(pid()),
        fmt::format("ended while it was moved, and another process has its number, which may be in {} now",
                    dir.path()),
        fmt::format("look: cat /proc/{}/cgroup", pid().count())));
  return std::unexpected(make_error(ErrorKind::gone, name_of(pid()), "has ended"));
}

std::string describe(const Joining& joining, const std::string& path) {
  return fmt::format("put {} ({}) into {}, from {}", joining.pid().count(), joining.comm(), path,
                     joining.from());
}

}  // namespace weir::control
