// SPDX-License-Identifier: MIT
// A load that comes in bursts under three ways to limit it, one after the other: a fixed limit, a controller
// that polls once a second and moves it by steps, and `weir control`. How long the load was held back, and
// how far its limit was above what it used.
//
//   bursty [ROUNDS]      as root, cgroup v2 with a cpu controller; weir on PATH
#include "cpu_load.h"
#include "weir_control.h"
#include <array>
#include <optional>

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kHigh = 0.6, kLow = 0.1;
constexpr seconds kBurst{10}, kQuiet{20}, kRound{60};

double wanted(nanoseconds since) { return since % (kBurst + kQuiet) < kBurst ? kHigh : kLow; }

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 2;
  CgroupPlace place;
  constexpr std::array kWays = {"fixed at 0.33 CPUs", "polling once a second", "weir control"};
  std::array<CpuSeen, kWays.size()> all;
  int made = 0;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      const std::string name = fmt::format("docker-{:064x}.scope", made++);
      const auto dir = place.make(name);
      must(dir->write("cpu.max", "33000 100000"));
      std::optional<WeirControl> control;
      if (way == 2) {
        control.emplace(std::vector{place.path(name)},
                        "cpu: {soft: 0.33, hard: 0.9, floor: 0.1, step: 0.05, cooldown: 100ms, "
                        "parameters: {margin: 0.05, calm: 0.5}}");
      }
      Poller poller(*dir, {.low = 0.1, .high = 0.9, .step = 0.15});
      const CpuLoad load(*dir, wanted);
      all[way] += watch_cpu(*dir, kRound, way == 1 ? std::function<void()>([&] { poller.look(); }) : nullptr);
    }
  fmt::print("bursts of {} s at {} CPUs, {} s at {}; {} rounds of {} s each\n", kBurst.count(), kHigh,
             kQuiet.count(), kLow, rounds, kRound.count());
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    const CpuSeen& seen = all[way];
    fmt::print("  {:24} throttled {:7.2f} s a minute, used {:.3f} CPUs, limit {:.3f}: slack {:.1f} %\n",
               kWays[way], seen.throttled * 60 / seen.span, seen.used / seen.span, seen.limit / seen.span,
               100 * seen.slack());
  }
  return 0;
}
