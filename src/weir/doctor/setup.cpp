// SPDX-License-Identifier: MIT
#include "weir/doctor/setup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "weir/base/escape.h"
#include "weir/base/file.h"
#include "weir/base/text.h"
#include "weir/doctor/host.h"
#include "weir/doctor/record.h"

namespace weir::doctor {
namespace {

constexpr std::string_view kParanoid = "/sys/kernel/perf_event_paranoid";
constexpr std::uint64_t kSensibleParanoid = 2;  // users may count their own programs in user space

using DirPtr = std::unique_ptr<cgroup::Dir>;

bool has_word(std::string_view text, std::string_view word) {
  return std::ranges::count(words(text), word) > 0;
}

Result<void> write_existing(const std::string& path, std::string_view text) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return std::unexpected(errno_error(errno, path, "open"));
  return write_all(fd.get(), text, path);
}

Result<DirPtr> open_cgroup(const std::string& path, const HostPaths& paths) {
  WEIR_TRY(DirPtr root, cgroup::open_root(paths.cgroup_root));
  if (path == "/") return root;
  return cgroup::open_path(*root, path);
}

/// The files that show a limit of a controller, and the text of each when there is none.
struct Unlimited {
  std::string_view controller, file, text;
};
constexpr Unlimited kUnlimited[] = {
    {"cpu", "cpu.max", "max 100000"},
    {"cpu", "cpu.weight", "100"},
    {"memory", "memory.max", "max"},
    {"memory", "memory.high", "max"},
    {"memory", "memory.min", "0"},
    {"memory", "memory.low", "0"},
    {"io", "io.max", ""},
    {"io", "io.weight", "default 100"},
    {"io", "io.latency", ""},
    {"pids", "pids.max", "max"},
    {"cpuset", "cpuset.cpus", ""},
    {"cpuset", "cpuset.mems", ""},
};

/// The kernel takes a controller away from children that have limits of it without a word: so look first.
Result<void> check_unused(const cgroup::Dir& dir, std::string_view controller) {
  WEIR_TRY(const std::vector<std::string> children, dir.children());
  for (const std::string& name : children) {
    const auto child = dir.open(name);
    if (!child) continue;  // it has ended
    for (const Unlimited& each : kUnlimited) {
      if (each.controller != controller) continue;
      const auto text = (*child)->read(each.file);
      if (text && trim(*text) != each.text)
        return std::unexpected(
            make_error(ErrorKind::refused, (*child)->path(),
                       fmt::format("{} is set there now, so {} stays", each.file, controller)));
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(StepKind kind) {
  switch (kind) {
    case StepKind::sysctl:
      return "sysctl";
    case StepKind::mount:
      return "mount";
    case StepKind::controller:
      return "controller";
  }
  return "";
}

std::string describe(const Step& step) {
  switch (step.kind) {
    case StepKind::sysctl:
      return fmt::format("set {} from {} to {}", step.subject, step.before, step.after);
    case StepKind::mount:
      return fmt::format("mount {} at {}", step.after, step.subject);
    case StepKind::controller:
      return fmt::format("hand the {} controller down to the children of cgroup {}", step.after,
                         step.subject);
  }
  return "";
}

std::string command(const Step& step, const HostPaths& paths) {
  switch (step.kind) {
    case StepKind::sysctl:
      return fmt::format("echo {} > {}", step.after, shell_quote(step.subject));
    case StepKind::mount:
      return fmt::format("mount -t {} -o nosuid,nodev,noexec none {}", step.after, shell_quote(step.subject));
    case StepKind::controller: {
      const std::string mount =
          paths.cgroup_root.empty() ? cgroup::find_mount_point().value_or("") : paths.cgroup_root;
      const std::string folder = mount + (step.subject == "/" ? "" : step.subject);
      return fmt::format("echo +{} > {}", step.after, shell_quote(folder + "/cgroup.subtree_control"));
    }
  }
  return "";
}

std::vector<Step> plan_controllers(const cgroup::Dir& dir) {
  std::vector<Step> steps;
  const auto there = dir.read("cgroup.controllers");
  const auto handed_down = dir.read("cgroup.subtree_control");
  if (!there || !handed_down) return steps;
  for (const std::string_view controller : {"cpu", "memory", "io", "pids", "cpuset"})
    if (has_word(*there, controller) && !has_word(*handed_down, controller))
      steps.push_back({.kind = StepKind::controller,
                       .subject = dir.path(),
                       .before = "",
                       .after = std::string(controller)});
  return steps;
}

std::vector<Step> plan(const HostPaths& paths) {
  std::vector<Step> steps;
  if (const auto text = text_of(paths.proc + std::string(kParanoid)))
    if (const auto value = parse_u64(*text); value && *value > kSensibleParanoid)
      steps.push_back({.kind = StepKind::sysctl,
                       .subject = paths.proc + std::string(kParanoid),
                       .before = *text,
                       .after = std::to_string(kSensibleParanoid)});
  const auto add_mount = [&](std::string_view type, const std::string& at) {
    if (knows_filesystem(paths, type) && mount_points(paths, type).empty() && access(at.c_str(), F_OK) == 0)
      steps.push_back({.kind = StepKind::mount, .subject = at, .before = "", .after = std::string(type)});
  };
  add_mount("tracefs", paths.sys + "/kernel/tracing");
  if (!resctrl_flags(paths).empty()) add_mount("resctrl", paths.sys + "/fs/resctrl");

  if (!mount_points(paths, "cgroup").empty()) return steps;  // hybrid or v1: hands off
  const auto root = cgroup::open_root(paths.cgroup_root);
  if (!root) return steps;
  auto controllers = plan_controllers(**root);
  if (const auto slice = (*root)->open("system.slice")) {
    auto below = plan_controllers(**slice);
    // What the root does not hand down yet, system.slice gets with the root's step.
    for (const Step& step : controllers) {
      Step again = step;
      again.subject = "/system.slice";
      below.push_back(std::move(again));
    }
    controllers.insert(controllers.end(), below.begin(), below.end());
  }
  steps.insert(steps.end(), controllers.begin(), controllers.end());
  return steps;
}

Result<void> take(const Step& step, const HostPaths& paths) {
  switch (step.kind) {
    case StepKind::sysctl:
      return write_existing(step.subject, step.after);
    case StepKind::mount:
      if (::mount("none", step.subject.c_str(), step.after.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC,
                  nullptr) != 0)
        return std::unexpected(errno_error(errno, step.subject, fmt::format("mount {}", step.after)));
      return {};
    case StepKind::controller: {
      WEIR_TRY(const DirPtr dir, open_cgroup(step.subject, paths));
      return dir->write("cgroup.subtree_control", "+" + step.after);
    }
  }
  return {};
}

bool stands(const Step& step, const HostPaths& paths) {
  switch (step.kind) {
    case StepKind::sysctl:
      return text_of(step.subject) == step.after;
    case StepKind::mount:
      return std::ranges::count(mount_points(paths, step.after), step.subject) > 0;
    case StepKind::controller: {
      const auto dir = open_cgroup(step.subject, paths);
      const auto handed_down = dir ? (*dir)->read("cgroup.subtree_control") : std::unexpected(dir.error());
      return handed_down && has_word(*handed_down, step.after);
    }
  }
  return false;
}

Result<void> take_back(const Step& step, const HostPaths& paths) {
  switch (step.kind) {
    case StepKind::sysctl:
      return write_existing(step.subject, step.before);
    case StepKind::mount:
      if (umount2(step.subject.c_str(), UMOUNT_NOFOLLOW) != 0)
        return std::unexpected(errno_error(errno, step.subject, "unmount"));
      return {};
    case StepKind::controller: {
      WEIR_TRY(const DirPtr dir, open_cgroup(step.subject, paths));
      WEIR_CHECK(check_unused(*dir, step.after));
      return dir->write("cgroup.subtree_control", "-" + step.after);
    }
  }
  return {};
}

Result<void> fix(const HostPaths& paths, const std::vector<Step>& steps, const Told& told) {
  WEIR_TRY(const Fd lock, lock_record(paths));
  WEIR_TRY(Record record, load_record(paths));
  Result<void> outcome;
  for (const Step& step : steps) {
    record.steps.push_back(step);
    WEIR_CHECK(save_record(paths, record));
    const Result<void> taken = take(step, paths);
    told(step, taken);
    if (taken) continue;
    record.steps.pop_back();
    if (outcome) outcome = taken;
  }
  WEIR_CHECK(save_record(paths, record));
  return outcome;
}

Result<std::vector<UndoResult>> undo(const HostPaths& paths) {
  WEIR_TRY(const Fd lock, lock_record(paths));
  WEIR_TRY(Record record, load_record(paths));
  std::vector<UndoResult> results;
  std::vector<Step> kept;
  while (!record.steps.empty()) {
    const Step step = record.steps.back();
    record.steps.pop_back();
    UndoResult result{.step = step, .fate = Undone::changed_since, .why = {}};
    if (stands(step, paths)) {
      const auto back = take_back(step, paths);
      result.fate = back ? Undone::taken_back : Undone::left;
      if (!back) {
        result.why = back.error().message();
        kept.insert(kept.begin(), step);
      }
    }
    Record rest = record;
    rest.steps.insert(rest.steps.end(), kept.begin(), kept.end());
    WEIR_CHECK(save_record(paths, rest));
    results.push_back(std::move(result));
  }
  WEIR_CHECK(save_record(paths, {.boot_id = record.boot_id, .steps = kept}));
  return results;
}

}  // namespace weir::doctor
