// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <gtest/gtest.h>

namespace weir::control {
namespace {

void see(Need& need, double use, double held) { need.see({.hard = 2, .use = use, .held = held}); }

TEST(Need, IsTheMostThatIsUsedWhereNothingHolds) {
  Need need;
  EXPECT_EQ(need.most(), 0);
  see(need, 0.5, 0);
  see(need, 0.3, 0.01);
  EXPECT_EQ(need.most(), 0.5);
}

TEST(Need, IsEstimatedWhereALimitHolds) {
  Need need;
  see(need, 0.5, 0.5);
  EXPECT_EQ(need.most(), 1);
  see(need, 0.5, 1);
  EXPECT_EQ(need.most(), 2);
}

TEST(Need, IsSeenOnceItHasEnough) {
  Need need;
  see(need, 0.2, 0.8);
  see(need, 0.3, 0.6);
  see(need, 0.6, 0);
  EXPECT_EQ(need.most(), 0.6);
}

TEST(Need, StaysEstimatedWhereTheLoadWentBeforeItHadEnough) {
  Need need;
  see(need, 0.5, 0.5);
  see(need, 0.1, 0);
  EXPECT_EQ(need.most(), 1);
}

TEST(Need, OfAnEndThatWasHeldIsWhatItUsesWhenItHasEnoughLater) {
  Need need;
  see(need, 0.5, 0.5);
  EXPECT_TRUE(need.is_held());
  need.see_later({.hard = 2, .use = 0.55, .held = 0.1});
  EXPECT_EQ(need.most(), 1);
  need.see_later({.hard = 2, .use = 0.7, .held = 0});
  EXPECT_FALSE(need.is_held());
  EXPECT_EQ(need.most(), 0.7);
  need.see_later({.hard = 2, .use = 0.9, .held = 0});
  EXPECT_EQ(need.most(), 0.7);
}

TEST(Need, StaysEstimatedWhereTheLoadWentLater) {
  Need need;
  see(need, 0.5, 0.5);
  need.see_later({.hard = 2, .use = 0.1, .held = 0});
  EXPECT_FALSE(need.is_held());
  need.see_later({.hard = 2, .use = 0.8, .held = 0});
  EXPECT_EQ(need.most(), 1);
}

TEST(Need, IsNoMoreLaterThanWasEstimated) {
  Need need;
  see(need, 0.5, 0.2);
  need.see_later({.hard = 2, .use = 1.5, .held = 0});
  EXPECT_EQ(need.most(), 0.625);
}

TEST(Need, IsNoMoreThanTheHardLimit) {
  Need need;
  see(need, 3, 0);
  EXPECT_EQ(need.most(), 2);
}

}  // namespace
}  // namespace weir::control
