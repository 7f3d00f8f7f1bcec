// SPDX-License-Identifier: MIT
// Three cgroups below /weir-lab, made with mkdir. The parent carries an extended attribute, trusted.weir.lab,
// which also names the controllers that had to be handed down by the root, so that remove() takes those back
// as well.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/lab/disk.h"
#include "weir/lab/runner.h"
#include "weir/spawn/tool.h"

namespace weir::lab {
namespace {

constexpr std::string_view kParent = "weir-lab";
constexpr const char* kAttribute = "trusted.weir.lab";
constexpr std::string_view kNone = "none";
constexpr std::string_view kControllers[] = {"cpu", "memory", "io"};

using DirPtr = std::unique_ptr<cgroup::Dir>;

/// exec of weir-lab inside `dir`, away from this terminal and session. Returns once it has happened.
Result<void> launch(cgroup::Dir& dir, const std::vector<std::string>& argv) {
  WEIR_TRY(const auto procs, dir.keep("cgroup.procs", cgroup::Access::write));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "", "make a pipe"));
  const Fd failure(ends[0]);
  Fd child_failure(ends[1]);
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) return std::unexpected(errno_error(errno, argv.front(), "fork"));
  if (child == 0) {
    int error = procs->write("0") ? 0 : EIO;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {0, 1, 2}) dup2(null, fd);
    setsid();
    char* const environment[] = {nullptr};
    if (error == 0) {
      execve(pointers.front(), pointers.data(), environment);
      error = errno;
    }
    [[maybe_unused]] const ssize_t told = write(child_failure.get(), &error, sizeof error);
    _exit(127);
  }
  child_failure.reset();
  int error = 0;
  if (read(failure.get(), &error, sizeof error) == sizeof error)
    return std::unexpected(errno_error(error, argv.front(), "start it in its cgroup"));
  return {};
}

class CgroupRunner final : public Runner {
 public:
  CgroupRunner(const HostPaths& paths, std::string context) : paths_(paths), context_(std::move(context)) {}

  [[nodiscard]] std::string_view name() const override { return "cgroup"; }

  Result<void> prepare() override {
    WEIR_TRY(const DirPtr root, cgroup::open_root(paths_.cgroup_root));
    WEIR_TRY(const std::string handed_down, root->read("cgroup.subtree_control"));
    std::string added;
    for (const std::string_view controller : kControllers)
      if (std::ranges::count(words(handed_down), controller) == 0) added += fmt::format("{} ", controller);
    WEIR_TRY(const DirPtr parent, root->make(kParent));
    WEIR_CHECK(mark(added.empty() ? kNone : trim(added)));
    for (const std::string_view controller : words(added))
      WEIR_CHECK(root->write("cgroup.subtree_control", fmt::format("+{}", controller)));
    for (const std::string_view controller : kControllers)
      WEIR_CHECK(parent->write("cgroup.subtree_control", fmt::format("+{}", controller)));
    return {};
  }

  Result<void> start(const Workload& workload) override {
    WEIR_TRY(const DirPtr root, cgroup::open_root(paths_.cgroup_root));
    WEIR_TRY(const DirPtr parent, root->open(std::string(kParent)));
    WEIR_TRY(const DirPtr dir, parent->make(workload.name));
    WEIR_CHECK(hold(*dir, workload));
    std::vector<std::string> argv = {context_ + "/weir-lab"};
    for (std::string& argument : arguments(workload, kScratchDirectory)) argv.push_back(std::move(argument));
    return launch(*dir, argv);
  }

  Result<std::string> cgroup(const Workload& workload) override {
    return fmt::format("/{}/{}", kParent, workload.name);
  }

  std::string last_words(const Workload&) override { return {}; }

  Result<std::vector<std::string>> remove() override {
    WEIR_TRY(const DirPtr root, cgroup::open_root(paths_.cgroup_root));
    const Result<DirPtr> parent = root->open(std::string(kParent));
    if (!parent) return std::vector<std::string>{};
    const std::string controllers = read_mark();
    WEIR_TRY(const std::vector<std::string> children, (*parent)->children());
    // Made and not yet marked when `up` was killed: then it is empty.
    if (controllers.empty() && !children.empty()) return std::vector<std::string>{};
    std::vector<std::string> removed;
    for (const std::string& child : children) {
      WEIR_CHECK(end_processes(**parent, child));
      WEIR_CHECK((*parent)->remove(child));
      removed.push_back(fmt::format("/{}/{}", kParent, child));
    }
    WEIR_CHECK(root->remove(kParent));
    removed.push_back(fmt::format("/{}", kParent));
    if (controllers != kNone)
      for (const std::string_view controller : words(controllers))
        if (!root->write("cgroup.subtree_control", fmt::format("-{}", controller)))
          removed.push_back(
              fmt::format("(not taken back from /cgroup.subtree_control, in use: {})", controller));
    return removed;
  }

  Result<std::vector<std::string>> present() override {
    std::vector<std::string> found;
    WEIR_TRY(const DirPtr root, cgroup::open_root(paths_.cgroup_root));
    if (root->open(std::string(kParent))) found.push_back(fmt::format("/{}", kParent));
    return found;
  }

 private:
  [[nodiscard]] Result<std::string> parent_path() const {
    if (!paths_.cgroup_root.empty()) return fmt::format("{}/{}", paths_.cgroup_root, kParent);
    WEIR_TRY(const std::string mount, cgroup::find_mount_point());
    return fmt::format("{}/{}", mount, kParent);
  }
  [[nodiscard]] Result<void> mark(std::string_view text) const {
    WEIR_TRY(const std::string path, parent_path());
    if (lsetxattr(path.c_str(), kAttribute, text.data(), text.size(), 0) != 0)
      return std::unexpected(errno_error(errno, path, "mark it as the lab's"));
    return {};
  }
  [[nodiscard]] std::string read_mark() const {
    const auto path = parent_path();
    char text[64];
    const ssize_t n = path ? lgetxattr(path->c_str(), kAttribute, text, sizeof text) : -1;
    return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : std::string();
  }

  Result<void> hold(cgroup::Dir& dir, const Workload& workload) const {
    switch (workload.held) {
      case Held::cpu:
        return dir.write("cpu.max", fmt::format("{} 100000", kCpuPercent * 1000));
      case Held::memory: {
        // Without swap accounting there is no such file, and mostly no swap.
        if (auto swap = dir.write("memory.swap.max", "0"); !swap && swap.error().kind != ErrorKind::absent)
          return swap;
        return dir.write("memory.max", std::to_string(kMemoryMax.count()));
      }
      case Held::io: {
        const auto disk = disk_below(kScratchDirectory, paths_);
        if (!disk) return {};
        return dir.write("io.max", fmt::format("{} wbps={}", disk->number, kIoWriteBps.count()));
      }
    }
    return {};
  }

  /// SIGKILL to all of it, and waits until the cgroup is empty.
  static Result<void> end_processes(const cgroup::Dir& parent, const std::string& child) {
    WEIR_TRY(const DirPtr dir, parent.open(child));
    if (!dir->write("cgroup.kill", "1")) {  // 5.14 and later
      WEIR_TRY(const std::string procs, dir->read("cgroup.procs"));
      for (const std::string_view word : words(procs))
        if (const auto pid = parse_u64(word); pid && *pid > 1) kill(static_cast<pid_t>(*pid), SIGKILL);
    }
    for (int i = 0; i < 400; ++i) {
      WEIR_TRY(const std::string events, dir->read("cgroup.events"));
      if (events.starts_with("populated 0")) return {};
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return std::unexpected(make_error(ErrorKind::failed, dir->path(), "its processes do not end"));
  }

  HostPaths paths_;
  std::string context_;
};

}  // namespace

std::unique_ptr<Runner> cgroup_runner(const HostPaths& paths, std::string context) {
  return std::make_unique<CgroupRunner>(paths, std::move(context));
}

}  // namespace weir::lab
