// SPDX-License-Identifier: MIT
// A day of `weir control` on a host that is made up (tests/support/control_day.h), with faults. Limits must
// be within their bounds all the time, and as before at the end.
//
//   control_day [CGROUPS [HOURS [FAULTS]]]     FAULTS: how many times as many faults; default 1
#include "support/control_day.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

int main(int argc, char** argv) {
  const std::size_t cgroups = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200;
  const int hours = argc > 2 ? std::atoi(argv[2]) : 24;
  const auto begin = std::chrono::steady_clock::now();
  weir::testing::ControlDay day(cgroups, argc > 3 ? std::atof(argv[3]) : 1);
  for (int n = 0; n < hours * 3600; ++n) day.second();
  day.stop();
  const double spent = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const weir::testing::ControlDay::Counts& counts = day.counts();
  fmt::print("control_day: {} cgroups, {} h: {} limits changed by {} writes, {} of which failed\n", cgroups,
             hours, counts.changes, counts.writes, counts.failed);
  fmt::print("  {} limits set by others, {} cgroups ended and came again, {} controllers killed\n",
             counts.foreign, counts.ended, counts.killed);
  fmt::print("  limits (with bursts) above hard {}, below floor {}, refused by the kernel {} (target 0)\n",
             counts.above, counts.below, counts.refused);
  fmt::print("  not as before after stop {} (target 0)\n", counts.left);
  fmt::print(
      "  {:.1f} changes a cgroup and hour; limit above what was wanted {:.1f} %, short of it {:.2f} %\n",
      static_cast<double>(counts.changes) / static_cast<double>(cgroups) / hours,
      100 * counts.slack / counts.wanted, 100 * counts.lack / counts.wanted);
  fmt::print("  {:.0f} s\n", spent);
  return counts.above + counts.below + counts.refused + counts.left == 0 ? 0 : 1;
}
