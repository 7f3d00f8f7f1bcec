// SPDX-License-Identifier: MIT
// Preloaded into a program (LD_PRELOAD), ends it by SIGKILL right before its KILL_AT-th write() or pwrite(),
// as strace would, at full speed.
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace {

void count() {
  static const long at = [] {
    const char* text = std::getenv("KILL_AT");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  static long writes = 0;
  if (++writes == at) ::kill(::getpid(), SIGKILL);
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  count();
  return ::syscall(SYS_write, fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  count();
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  count();
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}
}
