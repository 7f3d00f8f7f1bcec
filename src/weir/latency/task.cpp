// SPDX-License-Identifier: MIT
#include "weir/latency/task.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "weir/base/file.h"

namespace weir::latency {
namespace {

constexpr int kFillTimeoutMs = 60'000;

struct Pipe {
  Fd read, write;
};
Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "", "making a pipe"));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// A file of `size` on a disk, without a name, written and out of the page cache.
Result<Fd> make_cold_file(Bytes size) {
  for (const char* folder : {"/var/tmp", "/var/lib", "/root", "/tmp"}) {
    Fd file(::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    struct statfs fs{};
    if (!file.valid() || fstatfs(file.get(), &fs) != 0) continue;
    if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC || fs.f_type == OVERLAYFS_SUPER_MAGIC) continue;
    const std::string block(1U << 20U, 'w');
    for (std::uint64_t written = 0; written < size.count(); written += block.size())
      WEIR_CHECK(write_all(file.get(), block, folder));
    if (fsync(file.get()) != 0) return std::unexpected(errno_error(errno, folder, "fsync"));
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    return file;
  }
  return std::unexpected(
      make_error(ErrorKind::absent, "/var/tmp", "no directory on a disk for a file to cache"));
}

// What follows runs in the child: system calls only.

[[noreturn]] void spin() {
  for (std::uint64_t i = 0;; ++i) asm volatile("" : "+r"(i));
}

void read_whole(int file) {
  static std::array<char, 65536> buffer;
  off_t at = 0;
  for (ssize_t n = 0; (n = pread(file, buffer.data(), buffer.size(), at)) > 0;) at += n;
}

}  // namespace

Task::Task(pid_t pid, Fd commands, Fd answers)
    : pid_(pid), commands_(std::move(commands)), answers_(std::move(answers)) {}
Task::Task(Task&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      commands_(std::move(other.commands_)),
      answers_(std::move(other.answers_)) {}
Task& Task::operator=(Task&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    commands_ = std::move(other.commands_);
    answers_ = std::move(other.answers_);
  }
  return *this;
}
Task::~Task() { end(); }

void Task::end() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<Task> Task::start(Kind kind, cgroup::Dir* dir, Fd file) {
  WEIR_TRY(Pipe commands, make_pipe());
  WEIR_TRY(Pipe answers, make_pipe());
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return std::unexpected(errno_error(errno, "", "starting a task"));
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);  // Ctrl-C is for the parent, which ends us
    if (getppid() != parent) _exit(1);
    commands.write.reset();
    // A command is a byte; the first one says that the task is in its cgroup.
    for (char command = 0; read(commands.read.get(), &command, 1) == 1;) {
      if (kind == Kind::spinner) spin();
      if (kind == Kind::cache_reader) read_whole(file.get());
      if (write(answers.write.get(), &command, 1) != 1) break;
    }
    _exit(0);
  }
  Task task(pid, std::move(commands.write), std::move(answers.read));
  if (dir == nullptr) return task;
  if (auto moved = dir->write("cgroup.procs", std::to_string(pid)); !moved)
    return std::unexpected(std::move(moved).error().context("putting a task into the cgroup"));
  if (kind == Kind::spinner) WEIR_CHECK(write_all(task.commands_.get(), "s", "task"));
  return task;
}

Result<Task> Task::spinner(cgroup::Dir& dir) { return start(Kind::spinner, &dir, Fd()); }
Result<Task> Task::sleeper() { return start(Kind::sleeper, nullptr, Fd()); }
Result<Task> Task::cache_reader(cgroup::Dir& dir, Bytes size) {
  WEIR_TRY(Fd file, make_cold_file(size));
  return start(Kind::cache_reader, &dir, std::move(file));
}

Result<void> Task::fill() {
  WEIR_CHECK(write_all(commands_.get(), "f", "task"));
  pollfd polled{answers_.get(), POLLIN, 0};
  if (poll(&polled, 1, kFillTimeoutMs) == 0)
    return std::unexpected(errno_error(ETIMEDOUT, "task", "filling the page cache"));
  char answer = 0;
  if (read(answers_.get(), &answer, 1) != 1)
    return std::unexpected(make_error(ErrorKind::gone, "task", "the page cache reader was killed"));
  return {};
}

}  // namespace weir::latency
