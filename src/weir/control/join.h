// SPDX-License-Identifier: MIT
#pragma once
// Joining: a process that the configuration puts into a cgroup. It is held by a pidfd from when it is looked
// at until it has moved, so that its number cannot come to mean another one unnoticed.

#include <string>

#include "weir/cgroup/dir.h"
#include "weir/model/host_paths.h"
#include "weir/proc/pid_fd.h"
#include "weir/proc/process.h"

namespace weir::control {

class Joining {
 public:
  /// Looks at the process. Errors: gone; refused: the init process, a kernel thread, this very process, one
  /// of a service that keeps the host running, one of a container.
  static Result<Joining> open(const HostPaths& paths, cgroup::Dir& root, Pid pid);

  [[nodiscard]] Pid pid() const { return held_.pid(); }
  /// What it calls itself; may be hostile bytes.
  [[nodiscard]] const std::string& comm() const { return process_.comm; }
  /// The cgroup that it is in.
  [[nodiscard]] const std::string& from() const { return from_; }

  /// Errors: gone, refused, failed (what was moved turned out to be another process).
  Result<void> join(cgroup::Dir& dir) const;

 private:
  Joining(proc::PidFd held, proc::Process process, std::string from, std::string proc)
      : held_(std::move(held)),
        process_(std::move(process)),
        from_(std::move(from)),
        proc_(std::move(proc)) {}
  [[nodiscard]] bool is_same() const;

  proc::PidFd held_;
  proc::Process process_;
  std::string from_, proc_;
};

/// "put 4242 (sleep) into /demo/batch, from /user.slice/…"
std::string describe(const Joining& joining, const std::string& path);

}  // namespace weir::control
