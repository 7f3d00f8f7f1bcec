// SPDX-License-Identifier: MIT
#include "weir/control/make_cgroup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "weir/base/text.h"
#include "weir/container/anchor.h"
#include "weir/limits/guard.h"

namespace weir::control {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kTurnOn = "cgroup.subtree_control";
constexpr const char* kOwnHint = "name a cgroup of your own, such as /demo/batch";

constexpr std::array<std::string_view, 7> kUnits = {".slice",  ".service", ".scope",  ".mount",
                                                    ".socket", ".swap",    ".busname"};
/// Topmost cgroups below which runtimes put their containers, with the cgroupfs driver.
constexpr std::array<std::string_view, 9> kRuntimes = {
    "docker", "kubepods", "libpod_parent", "lxc", "lxc.*", "crio*", "k8s.io", "containerd", "buildkit"};

std::string below(const std::string& parent, std::string_view name) {
  return parent == "/" ? fmt::format("/{}", name) : fmt::format("{}/{}", parent, name);
}

bool has(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

Result<Names> read_names(const cgroup::Dir& dir, std::string_view file) {
  WEIR_TRY(const std::string text, dir.read(file));
  Names names;
  for (const std::string_view word : words(text)) names.emplace_back(word);
  return names;
}

std::unexpected<Error> refused(std::string_view path, std::string_view why, std::string_view hint) {
  return std::unexpected(make_error(ErrorKind::refused, path, why, hint));
}

/// Whether controllers may be turned on for what is below `dir`: the kernel lets processes be either in a
/// cgroup or below it (cgroup-v2.rst, "No Internal Process Constraint"), except in the root.
Result<void> check_inner(const cgroup::Dir& dir) {
  if (dir.path() == "/") return {};
  const auto type = dir.read("cgroup.type");
  if (type && trim(*type) != "domain")
    return refused(dir.path(),
                   fmt::format("is of type {}, and limits below it are not to be had", trim(*type)),
                   kOwnHint);
  WEIR_TRY(const std::string processes, dir.read("cgroup.procs"));
  if (!trim(processes).empty())
    return refused(
        dir.path(), "has processes of its own, so that the kernel limits nothing below it",
        fmt::format("move them into a cgroup below it: echo PID > CGROUP_MOUNT{}/NAME/cgroup.procs",
                    dir.path()));
  return {};
}

}  // namespace

Names needed_controllers(const Entry& entry) {
  Names needed;
  const auto need = [&](const std::string& name) {
    if (!has(needed, name)) needed.push_back(name);
  };
  for (const Managed& managed : entry.resources) {
    switch (managed.resource) {
      case policy::Resource::cpu:
        need("cpu");
        break;
      case policy::Resource::memory:
        need("memory");
        break;
      case policy::Resource::io_write:
        need("memory");  // or what is written back is nobody's (cgroup-v2.rst, "Writeback")
        [[fallthrough]];
      case policy::Resource::io_read:
        need("io");
        break;
    }
  }
  return needed;
}

std::string owner_by_name(std::string_view path) {
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/', end + 1);
    const std::string_view level = path.substr(0, end);
    const std::string_view name = container::last_component(level);
    if (limits::is_guarded_unit(level)) return "what keeps the host running or reachable";
    if (std::ranges::any_of(kUnits, [&](std::string_view unit) { return name.ends_with(unit); }))
      return fmt::format("systemd ({})", name);
    const bool top = level.rfind('/') == 0;
    if (!container::id_in_path(level).empty() ||
        (top &&
         std::ranges::any_of(kRuntimes, [&](std::string_view each) { return glob_match(each, name); })))
      return fmt::format("a container runtime ({})", name);
  }
  return {};
}

Result<std::vector<MakeStep>> plan_making(const cgroup::Dir& root, std::string_view path,
                                          const Names& controllers) {
  WEIR_CHECK(cgroup::check_path(path));
  std::vector<MakeStep> steps;
  std::unique_ptr<cgroup::Dir> held;
  const cgroup::Dir* dir = &root;  // null from the first level on that is not there
  std::string parent = "/";
  for (const std::string_view name : split(path.substr(1), '/')) {
    MakeStep step{.parent = parent, .controllers = controllers, .child = std::string(name)};
    parent = below(parent, name);
    if (dir != nullptr) {
      WEIR_TRY(const Names available, read_names(*dir, "cgroup.controllers"));
      WEIR_TRY(const Names on, read_names(*dir, kTurnOn));
      std::erase_if(step.controllers, [&](const std::string& each) { return has(on, each); });
      for (const std::string& each : step.controllers)
        if (!has(available, each) && (steps.empty() || !has(steps.back().controllers, each)))
          return std::unexpected(make_error(ErrorKind::absent, dir->path(),
                                            fmt::format("has no {} controller to give on", each),
                                            "weir doctor says which this host has"));
      if (!step.controllers.empty()) WEIR_CHECK(check_inner(*dir));
      auto child = dir->open(name);
      if (!child && child.error().kind != ErrorKind::absent) return std::unexpected(std::move(child).error());
      if (child) step.child.clear();
      held = child ? std::move(*child) : nullptr;
      dir = held.get();
    }
    if (!step.controllers.empty() || !step.child.empty()) steps.push_back(std::move(step));
  }
  // What needs nothing is left in peace, wherever it is.
  const std::string owner = steps.empty() ? std::string() : owner_by_name(path);
  if (!owner.empty())
    return refused(path, fmt::format("is not made: that place belongs to {}", owner), kOwnHint);
  return steps;
}

Result<void> make(cgroup::Dir& root, const std::vector<MakeStep>& steps, MadeCgroups& made) {
  for (const MakeStep& step : steps) {
    std::unique_ptr<cgroup::Dir> held;
    if (step.parent != "/") {
      WEIR_TRY(held, cgroup::open_path(root, step.parent));
    }
    cgroup::Dir& parent = held ? *held : root;
    if (!step.controllers.empty())
      WEIR_CHECK(parent.write(kTurnOn, fmt::format("+{}", fmt::join(step.controllers, " +"))));
    if (step.child.empty()) continue;
    const std::string path = below(step.parent, step.child);
    WEIR_CHECK(made.will_make(path));
    WEIR_TRY(const std::unique_ptr<cgroup::Dir> child, parent.make(step.child));
    WEIR_CHECK(made.has_made(path, child->id()));
  }
  return {};
}

std::vector<std::string> describe(const std::vector<MakeStep>& steps) {
  std::vector<std::string> said;
  for (const MakeStep& step : steps) {
    if (!step.controllers.empty())
      said.push_back(fmt::format("turn on {} below {}", fmt::join(step.controllers, " and "), step.parent));
    if (!step.child.empty()) said.push_back(fmt::format("make {}", below(step.parent, step.child)));
  }
  return said;
}

}  // namespace weir::control
