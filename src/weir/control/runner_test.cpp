// SPDX-License-Identifier: MIT
#include "weir/control/runner.h"

#include <gtest/gtest.h>

#include "support/control_day.h"

namespace weir::control {
namespace {

TEST(Runner, KeepsLimitsWithinTheirBoundsAndLeavesNoneWhateverHappens) {
  for (const auto& [faults, policy] : {std::pair(1.0, ""), {30.0, ""}, {15.0, "burst"}}) {
    testing::ControlDay day(15, faults, policy);
    for (int n = 0; n < 600; ++n) day.second();
    day.stop();
    const testing::ControlDay::Counts& counts = day.counts();
    EXPECT_GT(counts.changes, 100U);
    EXPECT_EQ(counts.above, 0U);
    EXPECT_EQ(counts.below, 0U);
    EXPECT_EQ(counts.refused, 0U);
    EXPECT_EQ(counts.left, 0U);
  }
}

}  // namespace
}  // namespace weir::control
