// SPDX-License-Identifier: MIT
// Computes for `duty` percent of each period, in CPU time and not in wall time: what a limit holds back is
// still wanted, so a throttled thread falls behind and skips the sleep, as a busy service does.
#include "workload.h"
#include <ctime>
#include <thread>

namespace weir::lab {
namespace {

using std::chrono::nanoseconds;

nanoseconds now(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return std::chrono::seconds(ts.tv_sec) + nanoseconds(ts.tv_nsec);
}

/// Some 20 us of arithmetic that the compiler cannot leave out.
void compute(std::uint64_t& state) {
  for (int i = 0; i < 10'000; ++i) state = state * 6364136223846793005U + 1442695040888963407U;
  asm volatile("" : "+r"(state));
}

void work(nanoseconds busy, nanoseconds period, Progress& progress) {
  std::uint64_t state = 1;
  nanoseconds next = now(CLOCK_MONOTONIC);
  for (;;) {
    const nanoseconds until = now(CLOCK_THREAD_CPUTIME_ID) + busy;
    while (now(CLOCK_THREAD_CPUTIME_ID) < until) {
      compute(state);
      progress.operations.fetch_add(1, std::memory_order_relaxed);
    }
    next += period;
    if (const nanoseconds late = now(CLOCK_MONOTONIC); late > next) {
      next = late;
    } else {
      std::this_thread::sleep_for(next - late);
    }
  }
}

}  // namespace

Result<void> start_cpu(const CpuOptions& options, Progress& progress) {
  const nanoseconds period = options.period;
  const nanoseconds busy = period * options.duty / 100;
  for (unsigned i = 0; i < options.threads; ++i)
    std::thread([=, &progress] { work(busy, period, progress); }).detach();
  return {};
}

}  // namespace weir::lab
