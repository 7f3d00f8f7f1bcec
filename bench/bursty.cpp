// SPDX-License-Identifier: MIT
// A load that comes in bursts under three ways to limit it, one after the other: a fixed limit, a controller
// that polls once a second and moves it by steps, and `weir control`. How long the load was held back, and
// how far its limit was above what it used.
//
//   bursty [ROUNDS]      as root, cgroup v2 with a cpu controller; weir on PATH
#include "cgroup_place.h"
#include "spread.h"
#include "weir_control.h"
#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <functional>
#include <optional>
#include <thread>

#include "weir/cgroup/knob.h"

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kHigh = 0.6, kLow = 0.1;
constexpr seconds kBurst{10}, kQuiet{20}, kRound{60};
constexpr milliseconds kSlot{100};

nanoseconds thread_cpu() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// A process in the cgroup that wants kHigh of a CPU in bursts and kLow in between, in slots of 100 ms. What
/// it could not do in its slot is dropped, as a service drops requests.
class Load {
 public:
  explicit Load(cgroup::Dir& dir) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    const auto begin = std::chrono::steady_clock::now();
    for (auto slot = begin;; slot += kSlot) {
      std::this_thread::sleep_until(slot);
      const double share = (slot - begin) % (kBurst + kQuiet) < kBurst ? kHigh : kLow;
      const nanoseconds until = thread_cpu() + std::chrono::duration_cast<nanoseconds>(kSlot * share);
      while (thread_cpu() < until && std::chrono::steady_clock::now() < slot + kSlot) {
      }
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

double counter(const cgroup::Dir& dir, std::string_view key) {
  const std::string text = must(dir.read("cpu.stat"));
  const std::size_t at = text.find(key);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + key.size(), nullptr) / 1e6;
}

struct Seen {
  double throttled = 0, used = 0, limit = 0;  ///< seconds; CPUs on average; CPUs on average
};

/// One round, with `every_second` called once a second.
Seen run(const cgroup::Dir& dir, const std::function<void()>& every_second) {
  Seen seen{.throttled = -counter(dir, "throttled_usec "), .used = -counter(dir, "usage_usec ")};
  const auto begin = std::chrono::steady_clock::now();
  int looks = 0;
  for (auto at = begin; at < begin + kRound; at += milliseconds(50)) {
    std::this_thread::sleep_until(at);
    seen.limit += must(cgroup::read_cpu_max(dir)).cpus().value();
    if (++looks % 20 == 0 && every_second) every_second();
  }
  seen.throttled += counter(dir, "throttled_usec ");
  seen.used = (seen.used + counter(dir, "usage_usec ")) / std::chrono::duration<double>(kRound).count();
  seen.limit /= looks;
  return seen;
}

/// Up by a step when it was throttled in the last second, down by one when it used less than that.
class Poller {
 public:
  explicit Poller(cgroup::Dir& dir) : dir_(dir) {}
  void look() {
    const double throttled = counter(dir_, "throttled_usec "), used = counter(dir_, "usage_usec ");
    const double limit = must(cgroup::read_cpu_max(dir_)).cpus().value();
    const double to = throttled > throttled_               ? limit + kStep
                      : used - used_ < limit - 1.2 * kStep ? limit - kStep
                                                           : limit;
    throttled_ = throttled;
    used_ = used;
    if (to != limit)
      must(dir_.write("cpu.max", fmt::format("{} 100000", static_cast<int>(std::clamp(to, 0.1, 0.9) * 1e5))));
  }

 private:
  static constexpr double kStep = 0.15;
  cgroup::Dir& dir_;
  double throttled_ = 0, used_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 2;
  CgroupPlace place;
  constexpr std::array kWays = {"fixed at 0.33 CPUs", "polling once a second", "weir control"};
  std::array<std::vector<Seen>, kWays.size()> all;
  int made = 0;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      const std::string name = fmt::format("docker-{:064x}.scope", made++);
      const auto dir = place.make(name);
      must(dir->write("cpu.max", "33000 100000"));
      std::optional<WeirControl> control;
      if (way == 2) {
        control.emplace(place.path(name),
                        "soft: 0.33, hard: 0.9, floor: 0.1, step: 0.15, cooldown: 100ms, parameters: "
                        "{margin: 0.05, calm: 1}");
        std::this_thread::sleep_for(seconds(5));
      }
      Poller poller(*dir);
      const Load load(*dir);
      all[way].push_back(run(*dir, way == 1 ? std::function<void()>([&] { poller.look(); }) : nullptr));
    }
  fmt::print("bursts of {} s at {} CPUs, {} s at {}; {} rounds of {} s each\n", kBurst.count(), kHigh,
             kQuiet.count(), kLow, rounds, kRound.count());
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    Seen sum;
    for (const Seen& seen : all[way]) {
      sum.throttled += seen.throttled;
      sum.used += seen.used;
      sum.limit += seen.limit;
    }
    const auto count = static_cast<double>(all[way].size());
    fmt::print("  {:24} throttled {:7.2f} s a round, used {:.3f} CPUs, limit {:.3f}: slack {:.1f} %\n",
               kWays[way], sum.throttled / count, sum.used / count, sum.limit / count,
               100 * (sum.limit / sum.used - 1));
  }
  return 0;
}
