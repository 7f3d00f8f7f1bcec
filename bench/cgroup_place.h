// SPDX-License-Identifier: MIT
#pragma once
// Cgroups and processes of a benchmark's own, gone when it ends.

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/journal.h"

namespace weir::bench {

[[noreturn]] inline void give_up(const Error& error) {
  fmt::print(stderr, "bench: {}\n", error.message());
  std::exit(1);
}

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// /weir-bench-PID below the root, with these controllers for what is made in it.
class CgroupPlace {
 public:
  explicit CgroupPlace(std::string_view controllers = "+cpu")
      : mount_(must(cgroup::find_mount_point())), root_(must(cgroup::open_root(mount_))) {
    if (!controllers.empty()) must(root_->write("cgroup.subtree_control", controllers));
    dir_ = must(root_->make(name_));
    if (!controllers.empty()) must(dir_->write("cgroup.subtree_control", controllers));
  }
  CgroupPlace(const CgroupPlace&) = delete;
  CgroupPlace& operator=(const CgroupPlace&) = delete;
  ~CgroupPlace() {
    for (const std::string& child : children_) (void)dir_->remove(child);
    dir_.reset();
    (void)root_->remove(name_);
  }
  std::unique_ptr<cgroup::Dir> make(const std::string& child) {
    children_.push_back(child);
    return must(dir_->make(child));
  }
  [[nodiscard]] const cgroup::Dir& root() const { return *root_; }
  [[nodiscard]] std::string path(const std::string& child) const {
    return fmt::format("/{}/{}", name_, child);
  }
  [[nodiscard]] std::string file(const std::string& child, std::string_view name) const {
    return fmt::format("{}{}/{}", mount_, path(child), name);
  }

 private:
  std::string mount_, name_ = fmt::format("weir-bench-{}", ::getpid());
  std::unique_ptr<cgroup::Dir> root_, dir_;
  std::vector<std::string> children_;
};

/// A process in the cgroup that uses all the CPU that it gets.
class Spinner {
 public:
  explicit Spinner(cgroup::Dir& dir) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    for (;;) asm volatile("");  // the compiler may take an empty loop away
  }
  Spinner(Spinner&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Spinner& operator=(Spinner&&) = delete;
  ~Spinner() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

/// A journal beside where the real one is: on the tmpfs of /run.
class JournalPlace {
 public:
  JournalPlace() = default;
  JournalPlace(const JournalPlace&) = delete;
  JournalPlace& operator=(const JournalPlace&) = delete;
  ~JournalPlace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] limits::Journal open() const { return must(limits::Journal::open(path_, "bench")); }

 private:
  std::string path_ = fmt::format("/run/weir-bench-{}", ::getpid());
};

}  // namespace weir::bench
