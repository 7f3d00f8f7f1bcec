// SPDX-License-Identifier: MIT
#include "weir/control/need.h"

#include <gtest/gtest.h>

namespace weir::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two seconds count.
Need need_of_two_seconds() {
  Managed managed{.policy = policy::find_policy("step")};
  managed.parameters = {0.15, 1};
  return Need(managed);
}
policy::View look(double use, double held, double limit = 0.5) {
  return {.limit = limit, .hard = 2, .use = use, .held = held};
}
void see(Need& need, double use, double held, double limit = 0.5) {
  need.see(look(use, held, limit), seconds(1));
}
void see_later(Need& need, const policy::View& look) { need.see(look, milliseconds(2100)); }

TEST(Need, IsTheMostThatIsUsedWhereNothingHolds) {
  Need need = need_of_two_seconds();
  EXPECT_EQ(need.most(), 0);
  see(need, 0.5, 0);
  see(need, 0.3, 0.01);
  EXPECT_EQ(need.most(), 0.5);
}

TEST(Need, IsEstimatedWhereALimitHolds) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0.5);
  EXPECT_EQ(need.most(), 1);
  see(need, 0.5, 1);
  EXPECT_EQ(need.most(), 2);
}

TEST(Need, IsSeenOnceItHasEnough) {
  Need need = need_of_two_seconds();
  see(need, 0.2, 0.8, 0.2);
  see(need, 0.3, 0.6, 0.3);
  see(need, 0.6, 0, 0.8);
  EXPECT_EQ(need.most(), 0.6);
}

TEST(Need, IsSeenAlsoWhereItHadEnoughInPartOfTheTimeThatItWasHeldIn) {
  Need need = need_of_two_seconds();
  see(need, 0.41, 0.6, 0.2);  // raised halfway from one look to the other
  see(need, 0.4, 0, 0.8);
  EXPECT_EQ(need.most(), 0.41);
}

TEST(Need, StaysEstimatedWhereTheLoadWentBeforeItHadEnough) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0.5);
  see(need, 0.1, 0);
  EXPECT_EQ(need.most(), 1);
}

TEST(Need, OfAnEndThatWasHeldIsWhatItUsesWhenItHasEnoughLater) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0.5);
  EXPECT_TRUE(need.is_held());
  see_later(need, look(0.55, 0.1));
  EXPECT_EQ(need.most(), 1);
  see_later(need, look(0.7, 0));
  EXPECT_FALSE(need.is_held());
  EXPECT_EQ(need.most(), 0.7);
  see_later(need, look(0.9, 0));
  EXPECT_EQ(need.most(), 0.7);
}

TEST(Need, StaysEstimatedWhereTheLoadWentLater) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0.5);
  see_later(need, look(0.1, 0));
  EXPECT_FALSE(need.is_held());
  see_later(need, look(0.8, 0));
  EXPECT_EQ(need.most(), 1);
}

TEST(Need, IsNotWhatIsUsedLater) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0);
  see_later(need, look(0.9, 0));
  see_later(need, look(0.9, 0.5));
  EXPECT_EQ(need.most(), 0.5);
}

TEST(Need, IsNotUnknownWhereTheFirstLookIsLate) {
  Need need = need_of_two_seconds();
  see_later(need, look(0.9, 0));
  see_later(need, look(1.1, 0));
  EXPECT_EQ(need.most(), 0.9);
}

TEST(Need, OfAPolicyWithoutCalmIsThatOfFiveSeconds) {
  Managed managed{.policy = policy::find_policy("pressure")};
  managed.parameters = policy::defaults_of(*managed.policy);
  Need need(managed);
  need.see(look(0.5, 0), seconds(5));
  need.see(look(0.9, 0), milliseconds(5200));
  EXPECT_EQ(need.most(), 0.5);
}

TEST(Need, IsNoMoreLaterThanWasEstimated) {
  Need need = need_of_two_seconds();
  see(need, 0.5, 0.2);
  see_later(need, look(1.5, 0));
  EXPECT_EQ(need.most(), 0.625);
}

TEST(Need, IsNoMoreThanTheHardLimit) {
  Need need = need_of_two_seconds();
  see(need, 3, 0);
  EXPECT_EQ(need.most(), 2);
}

}  // namespace
}  // namespace weir::control
