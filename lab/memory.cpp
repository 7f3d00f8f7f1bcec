// SPDX-License-Identifier: MIT
// Two kinds of memory, because a limit treats them differently: anonymous pages, which can only be swapped
// out or be killed for, and page cache of a file, which is reclaimed and read again. Anonymous memory below
// memory.max together with a cache that does not fit beside it keeps a container at its limit, in reclaim,
// without an OOM kill.
#include <sys/mman.h>
#include <unistd.h>

#include "workload.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "weir/base/file.h"

namespace weir::lab {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kPage = 4096;
constexpr microseconds kStepEvery{50'000};

void touch(char* memory, std::size_t size, Progress& progress) {
  for (std::size_t at = 0; at < size; at += kPage) {
    memory[at] = static_cast<char>(memory[at] + 1);
    progress.operations.fetch_add(1, std::memory_order_relaxed);
  }
  progress.bytes.fetch_add(size, std::memory_order_relaxed);
}

/// From nothing to options.size and back, once; for good without a hold time.
void grow_and_hold(const MemoryOptions& options, Progress& progress) {
  const std::size_t size = options.size.count();
  void* mapped =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) die(errno_error(errno, "--size", "mmap"));
  char* memory = static_cast<char*>(mapped);
  for (std::size_t have = 0; have < size;) {
    const std::size_t grown = std::min(size, have + options.step.count());
    touch(memory + have, grown - have, progress);
    have = grown;
    std::this_thread::sleep_for(kStepEvery);
  }
  const auto full = std::chrono::steady_clock::now();
  while (options.hold.count() == 0 || std::chrono::steady_clock::now() - full < options.hold) {
    microseconds pause = options.touch.count() > 0 ? options.touch : microseconds{3'600'000'000};
    if (options.hold.count() > 0) pause = std::min(pause, options.hold);
    std::this_thread::sleep_for(pause);
    if (options.touch.count() > 0) touch(memory, size, progress);
  }
  munmap(mapped, size);
}

void read_over_and_over(int fd, Progress& progress) {
  std::vector<char> buffer(64 * kKiB);
  for (off_t at = 0;;) {
    const ssize_t n = pread(fd, buffer.data(), buffer.size(), at);
    if (n < 0 && errno != EINTR) die(errno_error(errno, "--cache", "read"));
    at = n > 0 ? at + n : 0;
    progress.bytes.fetch_add(n > 0 ? static_cast<std::uint64_t>(n) : 0, std::memory_order_relaxed);
    progress.operations.fetch_add(1, std::memory_order_relaxed);
  }
}

/// Written out and clean, so that it can be reclaimed without a write.
Result<Fd> make_cache_file(const MemoryOptions& options) {
  WEIR_TRY(Fd fd, open_scratch(options.path));
  const std::string block(64 * kKiB, 'w');
  for (std::uint64_t at = 0; at < options.cache.count(); at += block.size())
    WEIR_CHECK(write_all(fd.get(), block, options.path));
  if (fsync(fd.get()) != 0) return std::unexpected(errno_error(errno, options.path, "fsync"));
  return fd;
}

}  // namespace

Result<void> start_memory(const MemoryOptions& options, Progress& progress) {
  if (options.cache.count() > 0) {
    WEIR_TRY(Fd file, make_cache_file(options));
    std::thread([fd = file.release(), &progress] { read_over_and_over(fd, progress); }).detach();
  }
  std::thread([options, &progress] {
    for (;;) grow_and_hold(options, progress);
  }).detach();
  return {};
}

}  // namespace weir::lab
