// SPDX-License-Identifier: MIT
#include "weir/events/probe_cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "weir/base/text.h"

namespace weir::events {
namespace {

constexpr std::string_view kPrefix = "weir-probe-";
/// CPU time after which a process of it ends by itself.
constexpr rlim_t kMostSeconds = 10;

/// Of processes that are no more.
void remove_old(cgroup::Dir& root) {
  const auto names = root.children();
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(kPrefix)) continue;
    const auto pid = parse_u64(std::string_view(name).substr(kPrefix.size()));
    if (pid && *pid <= INT32_MAX && ::kill(static_cast<pid_t>(*pid), 0) != 0 && errno == ESRCH)
      (void)root.remove(name);
  }
}

[[noreturn]] void spin() {
  for (;;) asm volatile("");  // the compiler may take an empty loop away
}

[[noreturn]] void touch() {
  constexpr std::size_t kRoom = std::size_t{64} << 20, kPage = 4096;
  void* room = ::mmap(nullptr, kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) ::_exit(1);
  for (std::size_t at = 0; at < kRoom; at += kPage) {
    static_cast<volatile char*>(room)[at] = 1;
    ::usleep(10'000);
  }
  ::_exit(0);
}

}  // namespace

Result<ProbeCgroup> ProbeCgroup::make(cgroup::Dir& root) {
  remove_old(root);
  std::string name = fmt::format("{}{}", kPrefix, ::getpid());
  WEIR_TRY(auto dir, root.make(name));
  return ProbeCgroup(root, std::move(name), std::move(dir));
}

ProbeCgroup::~ProbeCgroup() {
  if (dir_ == nullptr) return;
  end_processes();
  dir_.reset();
  // The kernel takes a moment to let a process go that has been waited for.
  for (int tries = 0; tries < 100 && !root_->remove(name_); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

Result<void> ProbeCgroup::start(Work work) {
  WEIR_TRY(const auto procs, dir_->keep("cgroup.procs", cgroup::Access::write));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, name_, "make a pipe"));
  const Fd wait(ends[0]);
  Fd gate(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(errno_error(errno, name_, "fork"));
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    gates_.clear();  // copies of the others' gates would keep them shut
    gate.reset();
    const struct rlimit cpu{.rlim_cur = kMostSeconds, .rlim_max = kMostSeconds};
    ::setrlimit(RLIMIT_CPU, &cpu);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    ::sched_setaffinity(0, sizeof one, &one);  // where CPU 0 is not ours, on any
    if (!procs->write("0")) ::_exit(1);
    char none = 0;
    while (::read(wait.get(), &none, 1) < 0 && errno == EINTR) {
    }
    work == Work::spin ? spin() : touch();
  }
  processes_.push_back(child);
  gates_.push_back(std::move(gate));
  return {};
}

void ProbeCgroup::release() { gates_.clear(); }

void ProbeCgroup::end_processes() {
  for (const pid_t process : processes_) ::kill(process, SIGKILL);
  for (const pid_t process : processes_)
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
    }
  processes_.clear();
  gates_.clear();
}

}  // namespace weir::events
