// SPDX-License-Identifier: MIT
#pragma once
// Setup: what `doctor --fix` may change on a host, and how it is taken back. Each step writes one value of
// the running kernel; nothing of it outlives a restart. Before a step is taken the old value is recorded
// durably (record.h), so that `doctor --undo` works after a crash as well; it takes back only what still is
// as the step left it.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/model/host_paths.h"

namespace weir::doctor {

enum class StepKind {
  sysctl,      ///< `subject` is the file
  mount,       ///< `subject` is the mount point, `after` the type of the file system
  controller,  ///< `subject` is the cgroup's path, `after` the controller to hand down to its children
};
std::string_view to_string(StepKind kind);

struct Step {
  StepKind kind = StepKind::sysctl;
  std::string subject;
  std::string before;  ///< the old value; "" for a mount and a controller, which were not there
  std::string after;
  bool operator==(const Step&) const = default;
};
/// "set /proc/…/perf_event_paranoid from 3 to 2", "mount tracefs at /sys/kernel/tracing", …
std::string describe(const Step& step);
/// The same by a shell's means, for those who want to do it themselves.
std::string command(const Step& step, const HostPaths& paths);

/// What is to be done, and nothing that is not safe: perf_event_paranoid above 2 (the kernel's own default)
/// to 2, tracefs and, where CPU and kernel have it, resctrl mounted at their usual place, and on a host with
/// cgroup v2 alone the controllers cpu, memory, io, pids and cpuset handed down by the root and system.slice.
/// Never a hybrid or v1 hierarchy.
std::vector<Step> plan(const HostPaths& paths);
/// The part for one cgroup: the controllers that it has and does not hand down.
std::vector<Step> plan_controllers(const cgroup::Dir& dir);

Result<void> take(const Step& step, const HostPaths& paths);
/// Whether the host still is as the step left it.
bool stands(const Step& step, const HostPaths& paths);
/// refused: somebody uses it now (a busy mount, a child with a limit of that controller).
Result<void> take_back(const Step& step, const HostPaths& paths);

/// Every step of plan(), each recorded first. A step that fails does not stop the others; the first error is
/// returned at the end. `told` hears of each step as it is done, or of its error.
using Told = std::function<void(const Step& step, const Result<void>& result)>;
Result<void> fix(const HostPaths& paths, const std::vector<Step>& steps, const Told& told);

enum class Undone {
  taken_back,
  changed_since,  ///< somebody changed it: left as it is, and forgotten
  left,           ///< could not be taken back: still recorded
};
struct UndoResult {
  Step step;
  Undone fate = Undone::left;
  std::string why;  ///< for left
};
/// Newest first. Empty: nothing is recorded, or the host was restarted since (then nothing of it is left).
Result<std::vector<UndoResult>> undo(const HostPaths& paths);

}  // namespace weir::doctor
