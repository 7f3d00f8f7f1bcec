// SPDX-License-Identifier: MIT
#include "weir/limits/restore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "weir/base/fd.h"
#include "weir/systemd/bus.h"

namespace weir::limits {
namespace {

/// In the grandchild: becomes the program. Only async-signal-safe calls. Returns errno.
int become(char* const* argv) {
  ::signal(SIGHUP, SIG_IGN);  // stays ignored in the program
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGQUIT, SIG_IGN);
  if (::chdir("/") != 0) return errno;
  const int null = ::open("/dev/null", O_RDWR);
  if (null < 0) return errno;
  for (int fd = 0; fd <= 2; ++fd) {
    if (::dup2(null, fd) < 0) return errno;
  }
  if (null > 2) ::close(null);
  ::execve(argv[0], argv, environ);
  return errno;
}

/// systemd replaces $NAME in a command line; $$ stands for the character.
std::vector<std::string> without_variables(const std::vector<std::string>& argv) {
  std::vector<std::string> escaped;
  for (const std::string& argument : argv) {
    std::string& text = escaped.emplace_back();
    for (const char c : argument) text.append(c == '$' ? 2 : 1, c);
  }
  return escaped;
}

}  // namespace

Result<void> start_guardian(const RestoreLater& later) {
  std::vector<std::string> arguments = later.argv;
  arguments.emplace_back("--after-us");
  arguments.push_back(fmt::to_string(later.after.count()));
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  // The pipe closes by itself when the program starts; before that it carries the errno that stopped it.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno_error(errno, "guardian", "pipe"));
  const Fd heard(ends[0]);
  Fd said(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(errno_error(errno, "guardian", "fork"));
  if (child == 0) {
    int err = 0;
    if (::setsid() < 0) err = errno;
    const pid_t grandchild = err == 0 ? ::fork() : -1;
    if (grandchild > 0) ::_exit(0);
    if (grandchild == 0)
      err = become(argv.data());
    else if (err == 0)
      err = errno;
    (void)!::write(said.get(), &err, sizeof err);
    ::_exit(1);
  }
  said.reset();
  int err = 0;
  ssize_t got = 0;
  while ((got = ::read(heard.get(), &err, sizeof err)) < 0 && errno == EINTR) {
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (got == 0) return {};
  return std::unexpected(errno_error(got == sizeof err ? err : EIO, later.argv.front(),
                                     "start the process that restores it later"));
}

Result<Keeper> run_later(const RestoreLater& later, const HostPaths& paths) {
  if (paths.host_root.empty() && systemd::is_running(paths)) {
    if (auto bus = systemd::Bus::connect()) {
      if (bus->start_transient_timer(later.name, later.after, without_variables(later.argv)))
        return Keeper::systemd_timer;
    }
  }
  auto guardian = start_guardian(later);
  if (!guardian)
    return std::unexpected(
        std::move(guardian).error().context("nothing was changed, since nobody would take it back in time"));
  return Keeper::guardian;
}

Result<std::string> own_program(const HostPaths& paths) {
  std::string program(4096, '\0');
  const ssize_t length = ::readlink((paths.proc + "/self/exe").c_str(), program.data(), program.size());
  if (length <= 0) return std::unexpected(errno_error(errno, "weir", "find this program's own path"));
  program.resize(static_cast<std::size_t>(length));
  if (::access(program.c_str(), X_OK) != 0)
    return std::unexpected(errno_error(errno, program, "this program was replaced or removed"));
  return program;
}

}  // namespace weir::limits
