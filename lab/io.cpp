// SPDX-License-Identifier: MIT
// Writes one file over and over, block by block, with an fsync every few blocks so that the device, and not
// the page cache, sets the pace.
#include <unistd.h>

#include "workload.h"
#include <cerrno>
#include <thread>

namespace weir::lab {
namespace {

using Clock = std::chrono::steady_clock;

void write_over_and_over(int fd, const IoOptions& options, Progress& progress) {
  const std::string block(options.block.count(), 'w');
  const Clock::time_point start = Clock::now();
  std::uint64_t written = 0;
  for (std::uint64_t blocks = 1;; ++blocks) {
    const auto at = static_cast<off_t>(written % options.bytes.count());
    const ssize_t n = pwrite(fd, block.data(), block.size(), at);
    if (n < 0 && errno != EINTR) die(errno_error(errno, options.path, "write"));
    if (options.fsync > 0 && blocks % options.fsync == 0 && fsync(fd) != 0)
      die(errno_error(errno, options.path, "fsync"));
    written += n > 0 ? static_cast<std::uint64_t>(n) : 0;
    progress.bytes.store(written, std::memory_order_relaxed);
    progress.operations.store(blocks, std::memory_order_relaxed);
    if (options.rate.count() == 0) continue;
    const std::chrono::duration<double> due(static_cast<double>(written) /
                                            static_cast<double>(options.rate.count()));
    std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(due));
  }
}

}  // namespace

Result<void> start_io(const IoOptions& options, Progress& progress) {
  WEIR_TRY(Fd file, open_scratch(options.path));
  std::thread([fd = file.release(), options, &progress] {
    write_over_and_over(fd, options, progress);
  }).detach();
  return {};
}

}  // namespace weir::lab
