// SPDX-License-Identifier: MIT
#include "weir/cli/doctor_text.h"

#include <gtest/gtest.h>

namespace weir::cli {
namespace {

using doctor::Check;
using doctor::Need;
using doctor::Theme;

const Check kExamined[] = {
    {"kernel release", Theme::kernel, Need::feature, doctor::yes("6.12.48, tested")},
    {"cgroup v2", Theme::cgroup, Need::main_job, doctor::yes("only v2, at /sys/fs/cgroup")},
    {"io controller", Theme::cgroup, Need::feature,
     doctor::partial("there, but not handed down by the root (cgroup.subtree_control)",
                     "no io.max, io.weight and io.stat, unless a unit or runtime asks for it",
                     "weir doctor --fix")},
    {"hardware counters", Theme::perf, Need::feature,
     doctor::no("this machine has no performance counters", "no cycles", "run on the metal")},
};

TEST(DoctorText, FitsEightyColumns) {
  EXPECT_EQ(doctor_text(kExamined, 80, false),
            R"(Weir can do 2 of 4 things here. Not: hardware counters. In part: io controller.

Kernel
  yes      kernel release      6.12.48, tested

Cgroups
  yes      cgroup v2           only v2, at /sys/fs/cgroup
  partial  io controller       there, but not handed down by the root
                               (cgroup.subtree_control)
                        costs: no io.max, io.weight and io.stat, unless a unit
                               or runtime asks for it
                    to get it: weir doctor --fix

Performance events
  no       hardware counters   this machine has no performance counters
                        costs: no cycles
                    to get it: run on the metal
)");
}

TEST(DoctorText, EscapesWhatTheHostSays) {
  const Check hostile[] = {{"Docker", Theme::runtimes, Need::feature, doctor::yes("26\x1b[2J")}};
  EXPECT_EQ(doctor_text(hostile, 80, false).find('\x1b'), std::string::npos);
}

TEST(DoctorJson, HoldsEveryFieldOfTheContract) {
  EXPECT_EQ(doctor_json(std::span(kExamined).last(1)), R"({
  "schema": 1,
  "checks": [
    {
      "name": "hardware counters",
      "status": "no",
      "why": "this machine has no performance counters",
      "cost": "no cycles",
      "fix": "run on the metal"
    }
  ]
}
)");
}

}  // namespace
}  // namespace weir::cli
