// SPDX-License-Identifier: MIT
#pragma once
// ProbeCgroup: a cgroup of our own with a process or two that run into its limits, to see whether and when a
// source tells of it. Gone with its owner; if we are killed, its processes are killed by the kernel, and the
// empty cgroup is removed by the next one. One thread, and none beside it (it forks).

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"

namespace weir::events {

class ProbeCgroup {
 public:
  /// /weir-probe-PID. `root` outlives it. refused: no right to make one.
  static Result<ProbeCgroup> make(cgroup::Dir& root);
  ProbeCgroup(ProbeCgroup&&) noexcept = default;
  ProbeCgroup& operator=(ProbeCgroup&&) = delete;
  ~ProbeCgroup();

  [[nodiscard]] cgroup::Dir& dir() { return *dir_; }
  /// A process in the cgroup that waits for release().
  enum class Work {
    spin,   ///< on one CPU with the others
    touch,  ///< a page of memory after the other, a hundred times a second
  };
  Result<void> start(Work work);
  void release();
  void end_processes();

 private:
  ProbeCgroup(cgroup::Dir& root, std::string name, std::unique_ptr<cgroup::Dir> dir)
      : root_(&root), name_(std::move(name)), dir_(std::move(dir)) {}
  cgroup::Dir* root_;
  std::string name_;
  std::unique_ptr<cgroup::Dir> dir_;
  std::vector<pid_t> processes_;
  std::vector<Fd> gates_;  ///< closing one lets its process go
};

}  // namespace weir::events
