// SPDX-License-Identifier: MIT
#include "weir/lab/lab.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/stat.h"
#include "weir/lab/context.h"
#include "weir/lab/runner.h"
#include "weir/spawn/tool.h"
#include "weir/systemd/bus.h"

namespace weir::lab {
namespace {

using Runners = std::vector<std::unique_ptr<Runner>>;
using std::chrono::seconds;

Result<void> check_root(std::string_view doing) {
  if (geteuid() == 0) return {};
  return std::unexpected(make_error(ErrorKind::refused, "",
                                    "the lab needs root: it starts containers and makes cgroups",
                                    fmt::format("sudo weir lab {}", doing)));
}

Result<void> check_controllers(const HostPaths& paths) {
  WEIR_TRY(const auto root, cgroup::open_root(paths.cgroup_root));
  WEIR_TRY(const std::string text, root->read("cgroup.controllers"));
  const auto controllers = words(text);
  for (const std::string_view needed : {"cpu", "memory", "io"})
    if (std::ranges::count(controllers, needed) == 0)
      return std::unexpected(make_error(ErrorKind::absent, "cgroup v2",
                                        fmt::format("the {} controller is not there on this host", needed),
                                        "weir doctor says why and how to get it"));
  return {};
}

/// Docker's command, where its engine answers.
Result<std::string> find_docker() {
  WEIR_TRY(std::string docker, spawn::find_tool("docker"));
  WEIR_CHECK(spawn::run_tool({docker, "version", "--format", "{{.Server.Version}}"}, seconds(30)));
  return docker;
}

/// Every place where a lab could be, whatever it was started with.
Runners all_runners(const HostPaths& paths, const std::string& context) {
  Runners runners;
  if (auto docker = find_docker()) runners.push_back(docker_runner(paths, *docker, context));
  if (systemd::is_running(paths)) runners.push_back(systemd_runner(paths, context));
  runners.push_back(cgroup_runner(paths, context));
  return runners;
}

Result<Runner*> choose(const Runners& runners, Where where) {
  if (where == Where::docker && runners.front()->name() != "docker") {
    auto docker = find_docker();
    if (!docker)
      return std::unexpected(std::move(docker).error().with_hint("weir lab up --no-docker does without it"));
  }
  for (const auto& runner : runners)
    if (where != Where::no_docker || runner->name() != "docker") return runner.get();
  return std::unexpected(make_error(ErrorKind::absent, "", "there is nothing to start it with"));
}

Result<void> check_none(const Runners& runners) {
  for (const auto& runner : runners) {
    WEIR_TRY(const std::vector<std::string> there, runner->present());
    if (!there.empty())
      return std::unexpected(
          make_error(ErrorKind::refused, there.front(), "a lab is up already", "weir lab down"));
  }
  return {};
}

/// Whether weir-lab itself (not yet a shim or runc) has used CPU time in the cgroup.
bool has_computed(const cgroup::Dir& dir, const HostPaths& paths, std::chrono::microseconds& first) {
  const auto procs = dir.read("cgroup.procs");
  if (!procs) return false;
  const auto pids = words(*procs);
  const bool is_lab = std::ranges::any_of(pids, [&](std::string_view pid) {
    const auto comm = read_file(fmt::format("{}/{}/comm", paths.proc, pid));
    return comm && trim(*comm) == "weir-lab";
  });
  const auto stat = cgroup::read_cpu_stat(dir);
  if (!is_lab || !stat || !stat->usage) return false;
  if (first.count() == 0) first = *stat->usage;
  return *stat->usage > first;
}

Result<Started> wait_until_running(Runner& runner, const Workload& workload, const HostPaths& paths) {
  WEIR_TRY(const std::string path, runner.cgroup(workload));
  WEIR_TRY(const auto root, cgroup::open_root(paths.cgroup_root));
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  std::chrono::microseconds first{0};
  while (std::chrono::steady_clock::now() < deadline && !spawn::Interrupts::pending()) {
    const auto dir = cgroup::open_path(*root, path);
    if (dir && has_computed(**dir, paths, first))
      return Started{.name = std::string(workload.name),
                     .cgroup = path,
                     .limit = std::string(workload.limit),
                     .about = std::string(workload.about)};
    if (!dir) WEIR_CHECK(runner.cgroup(workload));  // says that it has ended
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (spawn::Interrupts::pending())
    return std::unexpected(make_error(ErrorKind::failed, workload.name, "interrupted"));
  return std::unexpected(make_error(ErrorKind::failed, workload.name, "does not run after 60 s"));
}

Result<Lab> start_all(Runner& runner, const HostPaths& paths, const Tell& tell) {
  Lab lab{.runner = std::string(runner.name()), .workloads = {}};
  tell(fmt::format("preparing ({})", runner.name()));
  WEIR_CHECK(runner.prepare());
  for (const Workload& workload : workloads()) {
    tell(fmt::format("starting {}", workload.name));
    WEIR_CHECK(runner.start(workload));
    auto started = wait_until_running(runner, workload, paths);
    if (!started) return std::unexpected(std::move(started).error().with_hint(runner.last_words(workload)));
    lab.workloads.push_back(std::move(*started));
  }
  return lab;
}

}  // namespace

Result<Lab> up(const HostPaths& paths, Where where, const Tell& tell) {
  WEIR_CHECK(check_root("up"));
  WEIR_CHECK(check_controllers(paths));
  WEIR_TRY(const std::string context, find_context());
  spawn::Interrupts interrupts;
  const Runners runners = all_runners(paths, context);
  WEIR_TRY(Runner* const runner, choose(runners, where));
  WEIR_CHECK(check_none(runners));
  Result<Lab> lab = start_all(*runner, paths, tell);
  if (!lab) {
    interrupts.put_aside();
    tell("failed: removing what was started");
    const auto removed = runner->remove();
    if (!removed) tell("some of it is left: weir lab down");
  }
  return lab;
}

Result<std::vector<std::string>> down(const HostPaths& paths, const Tell& tell) {
  WEIR_CHECK(check_root("down"));
  std::vector<std::string> removed;
  for (const auto& runner : all_runners(paths, "")) {
    tell(fmt::format("looking for a lab ({})", runner->name()));
    WEIR_TRY(const std::vector<std::string> some, runner->remove());
    removed.insert(removed.end(), some.begin(), some.end());
  }
  return removed;
}

}  // namespace weir::lab
