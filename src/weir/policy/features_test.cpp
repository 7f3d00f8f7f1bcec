// SPDX-License-Identifier: MIT
#include "weir/policy/features.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weir::policy {
namespace {

double feature(const View& view, std::string_view name) {
  const auto at = std::ranges::find(learn::kFeatureNames, name) - learn::kFeatureNames.begin();
  return features_of(view)[static_cast<std::size_t>(at)];
}

TEST(Features, AreTheSameForASmallAndALargeContainer) {
  const View small{.limit = 0.5, .hard = 1, .use = 0.25, .peak = 0.5, .p50 = 0.25, .limit_above = 0.75};
  const View large{.limit = 5, .hard = 10, .use = 2.5, .peak = 5, .p50 = 2.5, .limit_above = 7.5};
  EXPECT_EQ(features_of(small), features_of(large));
  EXPECT_EQ(feature(small, "limit"), 0.5);
  EXPECT_EQ(feature(small, "above"), 0.75);
}

TEST(Features, SayThatNothingIsAboveAsWideAsCanBe) {
  EXPECT_EQ(feature({.hard = 1, .limit_above = 0}, "above"), feature({.hard = 1, .limit_above = 9}, "above"));
}

TEST(Features, TellSecondsApartAndHoursNot) {
  EXPECT_EQ(feature({.hard = 1, .calm = 0}, "calm"), 0);
  EXPECT_LT(feature({.hard = 1, .calm = 1}, "calm"), feature({.hard = 1, .calm = 2}, "calm"));
  EXPECT_EQ(feature({.hard = 1, .calm = 3600}, "calm"), 1);
  EXPECT_EQ(feature({.hard = 1, .calm = 36000}, "calm"), 1);
}

TEST(Features, AreNotFiniteWhereTheViewIsNot) {
  EXPECT_TRUE(std::isnan(feature({.hard = 1, .use = std::numeric_limits<double>::quiet_NaN()}, "use")));
  EXPECT_TRUE(std::isnan(feature({.hard = 0, .use = 0}, "use")));
}

}  // namespace
}  // namespace weir::policy
