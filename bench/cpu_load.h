// SPDX-License-Identifier: MIT
#pragma once
// A load on the CPU that comes and goes as it is told, what became of it, and a controller to compare with:
// it polls once a second.

#include "cgroup_place.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <thread>

#include "weir/cgroup/knob.h"

namespace weir::bench {

/// A process in the cgroup that wants as much of a CPU as `wanted` says of the time since its start, in slots
/// of 100 ms. What it could not do in its slot is dropped, as a service drops requests.
class CpuLoad {
 public:
  using Wanted = std::function<double(std::chrono::nanoseconds since)>;
  static constexpr std::chrono::milliseconds kSlot{100};

  CpuLoad(cgroup::Dir& dir, const Wanted& wanted) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    const auto begin = std::chrono::steady_clock::now();
    for (auto slot = begin;; slot += kSlot) {
      std::this_thread::sleep_until(slot);
      const auto until =
          used() + std::chrono::duration_cast<std::chrono::nanoseconds>(kSlot * wanted(slot - begin));
      while (used() < until && std::chrono::steady_clock::now() < slot + kSlot) {
      }
    }
  }
  CpuLoad(const CpuLoad&) = delete;
  CpuLoad& operator=(const CpuLoad&) = delete;
  ~CpuLoad() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  static std::chrono::nanoseconds used() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  pid_t pid_;
};

/// Seconds of a counter in microseconds of cpu.stat: "usage_usec", "throttled_usec".
inline double cpu_stat(const cgroup::Dir& dir, std::string_view key) {
  const std::string text = must(dir.read("cpu.stat"));
  const std::size_t at = text.find(fmt::format("{} ", key));
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + key.size(), nullptr) / 1e6;
}

inline double cpu_limit(const cgroup::Dir& dir) { return must(cgroup::read_cpu_max(dir)).cpus().value(); }

/// What a limit was like over some time.
struct CpuSeen {
  double span = 0, throttled = 0, used = 0, limit = 0;  ///< seconds; seconds; CPU seconds; CPU seconds
  CpuSeen& operator+=(const CpuSeen& other) {
    span += other.span;
    throttled += other.throttled;
    used += other.used;
    limit += other.limit;
    return *this;
  }
  /// Of the limit above the use, as a share of the use.
  [[nodiscard]] double slack() const { return used > 0 ? limit / used - 1 : 0; }
};

/// Looks every 20 ms for `span`, with `every_second` (or nothing) called once a second.
inline CpuSeen watch_cpu(const cgroup::Dir& dir, std::chrono::seconds span,
                         const std::function<void()>& every_second) {
  constexpr std::chrono::milliseconds kLook{20};
  CpuSeen seen{.span = std::chrono::duration<double>(span).count(),
               .throttled = -cpu_stat(dir, "throttled_usec"),
               .used = -cpu_stat(dir, "usage_usec"),
               .limit = 0};
  const auto begin = std::chrono::steady_clock::now();
  int looks = 0;
  for (auto at = begin; at < begin + span; at += kLook) {
    std::this_thread::sleep_until(at);
    seen.limit += cpu_limit(dir);
    if (++looks % (std::chrono::seconds(1) / kLook) == 0 && every_second) every_second();
  }
  seen.throttled += cpu_stat(dir, "throttled_usec");
  seen.used += cpu_stat(dir, "usage_usec");
  seen.limit *= seen.span / looks;
  return seen;
}

/// Up by a step when it was throttled in the last second, down by one when it used less than that.
class Poller {
 public:
  struct Bounds {
    double low = 0, high = 0, step = 0;
  };
  Poller(cgroup::Dir& dir, Bounds bounds) : dir_(dir), bounds_(bounds) {}
  void look() {
    const double throttled = cpu_stat(dir_, "throttled_usec"), used = cpu_stat(dir_, "usage_usec");
    const double limit = cpu_limit(dir_);
    const double to = throttled > throttled_                      ? limit + bounds_.step
                      : used - used_ < limit - 1.2 * bounds_.step ? limit - bounds_.step
                                                                  : limit;
    if (to > limit) ++raises_;
    throttled_ = throttled;
    used_ = used;
    if (to != limit)
      must(dir_.write(
          "cpu.max",
          fmt::format("{} 100000", static_cast<int>(std::clamp(to, bounds_.low, bounds_.high) * 1e5))));
  }
  [[nodiscard]] int raises() const { return raises_; }

 private:
  cgroup::Dir& dir_;
  Bounds bounds_;
  double throttled_ = 0, used_ = 0;
  int raises_ = 0;
};

}  // namespace weir::bench
