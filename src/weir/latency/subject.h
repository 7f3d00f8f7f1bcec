// SPDX-License-Identifier: MIT
#pragma once
// Subject: the one cgroup that a race writes to: a container built and started for it, a container that the
// user named, or a cgroup of Weir's own where there is no Docker. What was made for the race is removed with
// the object.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/latency/task.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::latency {

enum class Load { idle, cpu, memory };
enum class CgroupNamespace { host, priv };

struct ContainerOptions {
  std::string docker;  ///< absolute path of Docker's command
  std::string build;   ///< build context; "" for the lab's
  Load load = Load::idle;
  CgroupNamespace cgroupns = CgroupNamespace::priv;
};

/// Told what is being done, one line each.
using Tell = std::function<void(std::string_view)>;

class Subject {
 public:
  /// Builds the image, runs a container of it, and waits until it runs. failed: Docker could not; absent: no
  /// Docker.
  static Result<Subject> build(const HostPaths& paths, const ContainerOptions& options, const Tell& tell);
  /// A container or unit that the user named: nothing is started in it.
  static Result<Subject> named(const HostPaths& paths, const Container& container);
  /// A scope of systemd's with Delegate=yes, or where there is no systemd a cgroup below the root. absent:
  /// the cgroup has no cpu.max, because the host's hierarchy lacks the controller.
  static Result<Subject> own_cgroup(const HostPaths& paths, Load load);

  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  Subject(Subject&&) noexcept = default;
  Subject& operator=(Subject&&) = delete;
  ~Subject();

  [[nodiscard]] cgroup::Dir& dir() { return *dir_; }
  [[nodiscard]] const std::string& dir_path() const { return dir_->path(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& docker_id() const {
    return docker_id_;
  }  ///< "" where Docker does not run it
  [[nodiscard]] const std::string& unit() const { return unit_; }  ///< "" where it is no systemd unit
  /// Whether it was made for the race: then it may be held back on purpose.
  [[nodiscard]] bool ours() const { return ours_; }
  /// Whether the load already keeps one CPU busy.
  [[nodiscard]] bool busy() const { return busy_; }

 private:
  Subject() = default;
  Result<void> open_root(const HostPaths& paths);
  Result<void> open(const HostPaths& paths, const std::string& cgroup);

  std::string name_, docker_id_, unit_, mount_point_;
  bool ours_ = false, busy_ = false;
  std::vector<std::function<void()>> undo_;  ///< run last to first
  std::unique_ptr<cgroup::Dir> root_, dir_;
  std::vector<Task> tasks_;  ///< of the load, or what keeps a scope alive
};

}  // namespace weir::latency
