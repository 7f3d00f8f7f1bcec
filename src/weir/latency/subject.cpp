// SPDX-License-Identifier: MIT
#include "weir/latency/subject.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <tuple>
#include <utility>

#include "weir/base/text.h"
#include "weir/lab/context.h"
#include "weir/proc/process.h"
#include "weir/spawn/tool.h"
#include "weir/systemd/bus.h"

namespace weir::latency {
namespace {

constexpr std::chrono::seconds kBuildTimeout{600};
constexpr std::chrono::seconds kDockerTimeout{120};
constexpr Bytes kLoadMemory{32 * kMiB};
constexpr std::string_view kName = "weir-latency-";  // and the process that races it
constexpr std::string_view kLabel = "weir.latency=race";

std::string own_name() { return fmt::format("{}{}", kName, getpid()); }

/// Whether this is what a race made whose process is no more.
bool is_orphan(const HostPaths& paths, std::string_view name) {
  if (!name.starts_with(kName)) return false;
  const auto pid = parse_u64(name.substr(kName.size()));
  if (!pid) return false;
  std::error_code error;
  const bool runs = std::filesystem::exists(fmt::format("{}/{}", paths.proc, *pid), error);
  return !runs && !error;
}

/// Removes the containers and images of races that were killed. Not inside a container: their processes are
/// not seen there.
void sweep_docker(const HostPaths& paths, const std::string& docker, const Tell& tell) {
  if (!paths.host_root.empty()) return;
  const auto names = spawn::run_tool(
      {docker, "ps", "--all", "--filter", fmt::format("label={}", kLabel), "--format", "{{.Names}}"},
      kDockerTimeout);
  for (const std::string_view name : names ? words(*names) : std::vector<std::string_view>()) {
    if (!is_orphan(paths, name)) continue;
    tell(fmt::format("removing {}, which a killed race left", name));
    std::ignore = spawn::run_tool({docker, "rm", "--force", "--volumes", std::string(name)}, kDockerTimeout);
    std::ignore = spawn::run_tool({docker, "rmi", "--force", fmt::format("{}:race", name)}, kDockerTimeout);
  }
}

/// Removes the empty cgroups of races that were killed.
void sweep_cgroups(const HostPaths& paths, cgroup::Dir& root) {
  if (!paths.host_root.empty()) return;
  const auto names = root.children();
  for (const std::string& name : names ? *names : std::vector<std::string>())
    if (is_orphan(paths, name)) std::ignore = root.remove(name);
}

std::string last_component(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// The arguments of weir-lab for a load. Idle is a process that only waits.
std::vector<std::string> workload(Load load) {
  if (load == Load::cpu) return {"cpu", "--threads", "1", "--duty", "100"};
  if (load == Load::memory)
    return {"memory", "--size", fmt::format("{}", kLoadMemory.count()), "--touch", "100ms"};
  return {"memory", "--size", "4096", "--touch", "0"};
}

/// The unit that systemd knows at this cgroup, or "".
std::string unit_of(const std::string& cgroup) {
  const std::string unit = last_component(cgroup);
  if (!unit.ends_with(".scope") && !unit.ends_with(".service")) return {};
  auto bus = systemd::Bus::connect();
  if (!bus) return {};
  const auto path = bus->control_group(unit);
  return path && *path == cgroup ? unit : std::string();
}

}  // namespace

Subject::~Subject() {
  tasks_.clear();
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
}

Result<void> Subject::open_root(const HostPaths& paths) {
  mount_point_ = paths.cgroup_root;
  if (mount_point_.empty()) {
    WEIR_TRY(mount_point_, cgroup::find_mount_point());
  }
  WEIR_TRY(root_, cgroup::open_root(mount_point_));
  return {};
}

Result<void> Subject::open(const HostPaths& paths, const std::string& cgroup) {
  WEIR_CHECK(open_root(paths));
  WEIR_TRY(dir_, cgroup::open_path(*root_, cgroup));
  return {};
}

Result<Subject> Subject::build(const HostPaths& paths, const ContainerOptions& options, const Tell& tell) {
  std::string context = options.build;
  if (context.empty()) {
    WEIR_TRY(context, lab::find_context());
  }
  // An absolute path: the tool runs nowhere in particular, and "-x" would be an option.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::canonical(context, error);
  if (error)
    return std::unexpected(
        make_error(ErrorKind::invalid, context, "is no folder to build from: " + error.message()));
  const bool is_lab = std::filesystem::exists(absolute / "weir-lab", error);

  const std::string name = own_name();
  const std::string image = name + ":race";
  const std::string& docker = options.docker;
  Subject subject;
  subject.name_ = name;
  subject.ours_ = true;
  subject.busy_ = options.load == Load::cpu && is_lab;

  sweep_docker(paths, docker, tell);
  tell("building the image");
  if (auto built =
          spawn::run_tool({docker, "build", "--quiet", "--tag", image, absolute.string()}, kBuildTimeout);
      !built)
    return std::unexpected(std::move(built).error().with_hint(
        is_lab ? "" : "the folder has no weir-lab program; without --build the lab's own image is used"));
  subject.undo_.emplace_back(
      [=] { std::ignore = spawn::run_tool({docker, "rmi", "--force", image}, kDockerTimeout); });

  tell("starting the container");
  std::vector<std::string> argv = {docker,
                                   "run",
                                   "--detach",
                                   "--name",
                                   name,
                                   "--label",
                                   std::string(kLabel),
                                   "--network",
                                   "none",
                                   "--cgroupns",
                                   options.cgroupns == CgroupNamespace::host ? "host" : "private",
                                   image};
  if (is_lab) std::ranges::copy(workload(options.load), std::back_inserter(argv));
  subject.undo_.emplace_back(
      [=] { std::ignore = spawn::run_tool({docker, "rm", "--force", "--volumes", name}, kDockerTimeout); });
  WEIR_CHECK(spawn::run_tool(argv, kDockerTimeout));

  WEIR_TRY(const std::string state,
           spawn::run_tool({docker, "inspect", "--format", "{{.Id}} {{.State.Pid}}", name}, kDockerTimeout));
  const auto fields = words(state);
  const auto pid = fields.size() == 2 ? parse_u64(fields[1]) : std::nullopt;
  if (!pid || *pid == 0 || *pid > INT32_MAX)
    return std::unexpected(make_error(ErrorKind::gone, name, "the container ended as soon as it was started",
                                      "its program must keep running until it is stopped"));
  subject.docker_id_ = std::string(fields[0]);
  WEIR_TRY(const std::string cgroup,
           proc::read_cgroup_path(paths.proc, Pid(static_cast<std::int32_t>(*pid))));
  WEIR_CHECK(subject.open(paths, cgroup));
  subject.unit_ = unit_of(cgroup);
  return subject;
}

Result<Subject> Subject::named(const HostPaths& paths, const Container& container) {
  Subject subject;
  subject.name_ = container.name;
  if (container.runtime == Runtime::docker) subject.docker_id_ = container.id;
  WEIR_CHECK(subject.open(paths, container.cgroup));
  subject.unit_ = unit_of(container.cgroup);
  return subject;
}

Result<Subject> Subject::own_cgroup(const HostPaths& paths, Load load) {
  Subject subject;
  subject.name_ = own_name();
  subject.ours_ = true;
  if (auto bus = systemd::Bus::connect()) {
    WEIR_TRY(Task sleeper, Task::sleeper());
    const std::string unit = subject.name_ + ".scope";
    auto cgroup = bus->start_transient_scope(unit, "system.slice", sleeper.pid());
    if (cgroup) {
      subject.tasks_.push_back(std::move(sleeper));
      subject.unit_ = unit;
      subject.undo_.emplace_back([unit] {
        if (auto again = systemd::Bus::connect()) std::ignore = again->stop_unit(unit);
      });
      WEIR_CHECK(subject.open(paths, *cgroup));
    }
  }
  if (!subject.dir_) {
    WEIR_CHECK(subject.open_root(paths));
    sweep_cgroups(paths, *subject.root_);
    WEIR_TRY(subject.dir_, subject.root_->make(subject.name_));
    subject.undo_.emplace_back(
        [root = subject.root_.get(), name = subject.name_] { std::ignore = root->remove(name); });
  }
  if (load == Load::cpu) {
    WEIR_TRY(Task spinner, Task::spinner(*subject.dir_));
    subject.tasks_.push_back(std::move(spinner));
    subject.busy_ = true;
  }
  return subject;
}

}  // namespace weir::latency
