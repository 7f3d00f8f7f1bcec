// SPDX-License-Identifier: MIT
#include "weir/spawn/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "weir/base/fd.h"
#include "weir/base/text.h"

namespace weir::spawn {
namespace {

constexpr std::size_t kMostOutput = 1U << 20;

// DOCKER_BUILDKIT=0: the classic builder is there in every engine and leaves no build cache behind.
constexpr const char* kEnvironment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "HOME=/", "LC_ALL=C.UTF-8", "DOCKER_BUILDKIT=0", nullptr};

sigset_t interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

struct Pipe {
  Fd read, write;
};
Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "", "make a pipe"));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

/// In a process group of its own, so that Ctrl-C reaches this program alone, and with the default signal
/// mask.
Result<pid_t> spawn(const std::vector<std::string>& argv, int out, int err) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults = interrupts();
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv.front().c_str(), &actions, &attributes, pointers.data(),
                                const_cast<char* const*>(kEnvironment));
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return std::unexpected(errno_error(error, argv.front(), "start"));
  return pid;
}

/// Reads both until they end. False: time is up, or an interrupt waits.
bool drain(std::array<Fd*, 2> ends, std::array<std::string*, 2> texts, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (ends[0]->valid() || ends[1]->valid()) {
    if (Interrupts::pending() || std::chrono::steady_clock::now() > deadline) return false;
    pollfd polled[2] = {{ends[0]->get(), POLLIN, 0}, {ends[1]->get(), POLLIN, 0}};
    if (poll(polled, 2, 100) <= 0) continue;
    for (std::size_t i = 0; i < 2; ++i) {
      if (polled[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t n = read(ends[i]->get(), buffer, sizeof buffer);
      if (n > 0 && texts[i]->size() < kMostOutput) texts[i]->append(buffer, static_cast<std::size_t>(n));
      if (n == 0 || (n < 0 && errno != EINTR)) ends[i]->reset();
    }
  }
  return true;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// SIGTERM to the whole group, and SIGKILL two seconds later.
int end(pid_t pid) {
  kill(-pid, SIGTERM);
  const Fd handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd polled{handle.get(), POLLIN, 0};
  if (!handle.valid() || poll(&polled, 1, 2'000) <= 0) kill(-pid, SIGKILL);
  return wait_for(pid);
}

std::string last_line(std::string_view text) {
  const auto lines = split(trim(text), '\n');
  return std::string(trim(lines.back()));
}

}  // namespace

Interrupts::Interrupts() {
  const sigset_t set = interrupts();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}
Interrupts::~Interrupts() {
  if (aside_ != 0) raise(aside_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupts::put_aside() {
  const sigset_t set = interrupts();
  const timespec at_once{};
  if (const int number = sigtimedwait(&set, nullptr, &at_once); number > 0) aside_ = number;
}

bool Interrupts::pending() {
  sigset_t set;
  return sigpending(&set) == 0 && (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1);
}

Result<std::string> find_tool(std::string_view name) {
  for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    std::string path = fmt::format("{}/{}", folder, name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return std::unexpected(make_error(ErrorKind::absent, name, "is not installed"));
}

Result<std::string> run_tool(const std::vector<std::string>& argv, std::chrono::seconds timeout) {
  WEIR_TRY(Pipe out, make_pipe());
  WEIR_TRY(Pipe err, make_pipe());
  WEIR_TRY(const pid_t pid, spawn(argv, out.write.get(), err.write.get()));
  out.write.reset();
  err.write.reset();
  std::string text;
  std::string complaint;
  const bool complete = drain({&out.read, &err.read}, {&text, &complaint}, timeout);
  const int status = complete ? wait_for(pid) : end(pid);
  if (Interrupts::pending())
    return std::unexpected(make_error(ErrorKind::failed, argv.front(), "interrupted"));
  if (!complete)
    return std::unexpected(
        errno_error(ETIMEDOUT, argv.front(), fmt::format("no end after {} s", timeout.count())));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return std::unexpected(make_error(ErrorKind::failed,
                                      fmt::format("{} {}", argv[0], argv.size() > 1 ? argv[1] : ""),
                                      complaint.empty() ? "failed" : last_line(complaint)));
  return text;
}

}  // namespace weir::spawn
