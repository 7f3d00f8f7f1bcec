// SPDX-License-Identifier: MIT
#pragma once
// Task: a child process that this program puts into the measured cgroup, so that a limit has something to
// hold back: a spinner for cpu.max, a reader that fills the page cache for the memory limits. It ends with
// the object, and with this process however that ends.

#include <sys/types.h>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"
#include "weir/cgroup/dir.h"

namespace weir::latency {

class Task {
 public:
  /// Computes without end, in one thread.
  static Result<Task> spinner(cgroup::Dir& dir);
  /// Reads a file of `size` whenever asked; its clean pages are charged to the cgroup and can all be
  /// reclaimed. absent: no directory on a disk for the file (a tmpfs cannot be reclaimed without swap).
  static Result<Task> cache_reader(cgroup::Dir& dir, Bytes size);
  /// Does nothing; for a cgroup that needs a process.
  static Result<Task> sleeper();

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task(Task&& other) noexcept;
  Task& operator=(Task&& other) noexcept;
  ~Task();

  [[nodiscard]] Pid pid() const { return Pid(pid_); }
  /// cache_reader: reads the whole file once; returns when it has. gone: the task was killed.
  Result<void> fill();

 private:
  enum class Kind { spinner, cache_reader, sleeper };
  Task(pid_t pid, Fd commands, Fd answers);
  static Result<Task> start(Kind kind, cgroup::Dir* dir, Fd file);
  void end();

  pid_t pid_ = -1;
  Fd commands_, answers_;
};

}  // namespace weir::latency
