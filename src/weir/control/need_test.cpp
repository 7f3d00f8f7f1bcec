// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <gtest/gtest.h>

namespace weir::control {
namespace {

policy::View look(double use, double held, double limit = 0.5) {
  return {.limit = limit, .hard = 2, .use = use, .held = held};
}
void see(Need& need, double use, double held, double limit = 0.5) { need.see(look(use, held, limit)); }

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
  see(need, 0.2, 0.8, 0.2);
  see(need, 0.3, 0.6, 0.3);
  see(need, 0.6, 0, 0.8);
  EXPECT_EQ(need.most(), 0.6);
}

TEST(Need, IsSeenAlsoWhereItHadEnoughInPartOfTheTimeThatItWasHeldIn) {
  Need need;
  see(need, 0.41, 0.6, 0.2);  // raised halfway from one look to the other
  see(need, 0.4, 0, 0.8);
  EXPECT_EQ(need.most(), 0.41);
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
  need.see_later(look(0.55, 0.1));
  EXPECT_EQ(need.most(), 1);
  need.see_later(look(0.7, 0));
  EXPECT_FALSE(need.is_held());
  EXPECT_EQ(need.most(), 0.7);
  need.see_later(look(0.9, 0));
  EXPECT_EQ(need.most(), 0.7);
}

TEST(Need, StaysEstimatedWhereTheLoadWentLater) {
  Need need;
  see(need, 0.5, 0.5);
  need.see_later(look(0.1, 0));
  EXPECT_FALSE(need.is_held());
  need.see_later(look(0.8, 0));
  EXPECT_EQ(need.most(), 1);
}

TEST(Need, IsNoMoreLaterThanWasEstimated) {
  Need need;
  see(need, 0.5, 0.2);
  need.see_later(look(1.5, 0));
  EXPECT_EQ(need.most(), 0.625);
}

TEST(Need, IsNoMoreThanTheHardLimit) {
  Need need;
  see(need, 3, 0);
  EXPECT_EQ(need.most(), 2);
}

}  // namespace
}  // namespace weir::control
