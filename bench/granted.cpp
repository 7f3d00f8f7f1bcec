// SPDX-License-Identifier: MIT
// CPU really granted while `weir control` moves a limit as fast as it does, against the limits that it set; a
// fixed limit and a controller that polls once a second beside it. A load is hungry for a while and then
// quiet; what counts are whole enforcement periods in which it was held back all along.
//
//   granted [CLIMBS]     as root, cgroup v2 with a cpu controller; weir on PATH
#include "cpu_load.h"
#include "weir_control.h"
#include <array>
#include <cmath>
#include <optional>

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kHungry{4}, kQuiet{9};

double wanted(nanoseconds since) { return since % (kHungry + kQuiet) < kHungry ? 1 : 0.01; }

struct Granted {
  double used = 0, limit = 0, span = 0;  ///< CPU seconds, CPU seconds, seconds
  int periods = 0, changes = 0;
};

/// At the begin of a period.
struct Mark {
  double used = 0, limit = 0, at = 0;
  int changes = 0;
};

/// Looks every 2 ms: the limit, and whether another period has begun.
Granted measure(cgroup::Dir& dir, int climbs, const std::function<void()>& every_second) {
  Granted granted;
  double limits = 0, periods = cpu_stat(dir, "nr_periods"), held = cpu_stat(dir, "nr_throttled");
  double limit = cpu_limit(dir);
  int changes = 0;
  std::optional<Mark> last;
  bool was_held = false;
  const auto begin = std::chrono::steady_clock::now();
  auto before = begin, second = begin;
  while (before < begin + climbs * (kHungry + kQuiet)) {
    std::this_thread::sleep_until(before + milliseconds(2));
    const auto now = std::chrono::steady_clock::now();
    limits += limit * std::chrono::duration<double>(now - before).count();
    before = now;
    const double limit_now = cpu_limit(dir);
    if (limit_now != limit) ++changes;
    limit = limit_now;
    const double periods_now = cpu_stat(dir, "nr_periods"), held_now = cpu_stat(dir, "nr_throttled");
    if (now - second > seconds(1) && every_second) {
      second = now;
      every_second();
    }
    if (periods_now == periods) continue;
    // A period counts where it and the one before it were held: then it began with nothing left over.
    const bool is_held = held_now - held >= periods_now - periods;
    const Mark mark{.used = cpu_stat(dir, "usage_usec"),
                    .limit = limits,
                    .at = std::chrono::duration<double>(now - begin).count(),
                    .changes = changes};
    if (is_held && was_held && last) {
      granted.used += mark.used - last->used;
      granted.limit += mark.limit - last->limit;
      granted.span += mark.at - last->at;
      granted.changes += mark.changes - last->changes;
      granted.periods += static_cast<int>(std::lround((periods_now - periods) * 1e6));
    }
    was_held = is_held;
    last = mark;
    periods = periods_now;
    held = held_now;
  }
  return granted;
}

}  // namespace

int main(int argc, char** argv) {
  const int climbs = argc > 1 ? std::atoi(argv[1]) : 6;
  CgroupPlace place;
  constexpr std::array kWays = {"fixed at 0.3 CPUs", "polling once a second", "weir control"};
  fmt::print("{} times hungry for {} s; periods in which it was held back all along\n", climbs,
             kHungry.count());
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    const std::string name = fmt::format("docker-{:064x}.scope", way);
    const auto dir = place.make(name);
    must(dir->write("cpu.max", way == 0 ? "30000 100000" : "5000 100000"));
    std::optional<WeirControl> control;
    if (way == 2) {
      control.emplace(std::vector{place.path(name)},
                      "cpu: {soft: 0.05, hard: 0.95, floor: 0.05, step: 0.02, cooldown: 100ms, parameters: "
                      "{margin: 0, calm: 0.2}}");
    }
    Poller poller(*dir, {.low = 0.05, .high = 0.95, .step = 0.15});
    const CpuLoad load(*dir, wanted);
    const Granted granted =
        measure(*dir, climbs, way == 1 ? std::function<void()>([&] { poller.look(); }) : nullptr);
    fmt::print(
        "  {:24} {:4} periods, {:4} changes ({:.1f} a second): granted {:.4f}, limit {:.4f} CPUs: {:+.2f} "
        "%\n",
        kWays[way], granted.periods, granted.changes, granted.changes / granted.span,
        granted.used / granted.span, granted.limit / granted.span, 100 * (granted.used / granted.limit - 1));
  }
  return 0;
}
