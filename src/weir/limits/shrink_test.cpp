// SPDX-License-Identifier: MIT
// What is done next, sample by sample; no kernel, no clock.
#include "weir/limits/shrink.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

#include "weir/limits/footprint.h"

namespace weir::limits {
namespace {

using namespace std::chrono_literals;
using cgroup::Knob;
using Kind = ShrinkAction::Kind;
using testing::HasError;
using testing::HasValue;

constexpr Bytes mib(std::uint64_t n) { return Bytes(n * kMiB); }

/// A cgroup that does what it is told: of 300 MiB in use 100 are needed, and all else can be reclaimed.
struct Container {
  ShrinkSample sample{.at = 5s, .memory = {.use = mib(300), .need = mib(100)}};
  Limit<Bytes> high = Limit<Bytes>::unlimited();
  bool max_written = false;
  int reclaims = 0;

  ShrinkAction step(Shrink& shrink) {
    ShrinkAction action = shrink.next(sample);
    sample.at += 1ms;
    switch (action.kind) {
      case Kind::lower_high:
        EXPECT_LT(Limit(action.bytes), high);
        EXPECT_GE(action.bytes, std::min(sample.memory.use, mib(300))) << "never below what is in use";
        high = Limit(action.bytes);
        break;
      case Kind::reclaim:
        ++reclaims;
        sample.memory.use = Bytes(sample.memory.use.count() - action.bytes.count());
        break;
      case Kind::write_max:
        max_written = true;
        break;
      case Kind::wait:
        sample.at += action.span;
        break;
      case Kind::finish:
      case Kind::revert:
        break;
    }
    return action;
  }
  /// Until something else than `passing` is to be done, or a second too many has gone by.
  ShrinkAction until(Shrink& shrink, Kind wanted) {
    for (int n = 0; n < 100'000; ++n) {
      ShrinkAction action = step(shrink);
      if (action.kind == wanted || action.kind == Kind::finish || action.kind == Kind::revert) return action;
    }
    ADD_FAILURE() << "it never ends";
    return {};
  }
};

ShrinkGoal to_200(Knob knob = Knob::memory_max) { return {.knob = knob, .limit = mib(200), .budget = 30s}; }

TEST(Headroom, IsASixteenthWithinBounds) {
  EXPECT_EQ(headroom(mib(160)), mib(10));
  EXPECT_EQ(headroom(mib(20)), mib(4));
  EXPECT_EQ(headroom(mib(4)), mib(2));
  EXPECT_EQ(headroom(Bytes(64 * kGiB)), mib(512));
}

TEST(Shrink, BrakesBeforeItReclaimsAndReclaimsBeforeItCuts) {
  Shrink shrink(to_200());
  Container web;
  EXPECT_EQ(web.step(shrink).kind, Kind::lower_high);
  EXPECT_EQ(web.high, Limit(mib(300)));
  EXPECT_EQ(web.step(shrink).kind, Kind::reclaim);
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::write_max);
  EXPECT_EQ(web.high, Limit(brake_of(Knob::memory_max, mib(200))));
  EXPECT_LE(Limit(web.sample.memory.use), web.high);
  EXPECT_GE(web.reclaims, 3) << "in pieces";
  EXPECT_GE(web.sample.at, 5s + 7s) << "watched before the cut";
  EXPECT_EQ(web.until(shrink, Kind::finish).kind, Kind::finish);
  EXPECT_LT(web.sample.at, 5s + 27s);
}

TEST(Shrink, GoesBackWhereProcessesThatPeakTogetherWouldNotFit) {
  Shrink shrink(to_200());
  Container web;
  web.sample.growth = mib(90);  // 190 together, and the brake is at 187.5
  const ShrinkAction last = web.until(shrink, Kind::write_max);
  EXPECT_EQ(last.kind, Kind::revert);
  EXPECT_THAT(last.why->what, ::testing::HasSubstr("peak together"));
  EXPECT_FALSE(web.max_written);
}

TEST(Shrink, OfMemoryHighEndsAtTheLimitItself) {
  Shrink shrink(to_200(Knob::memory_high));
  Container web;
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::finish);
  EXPECT_EQ(web.high, Limit(mib(200)));
}

TEST(Shrink, LeavesATighterMemoryHighAlone) {
  ShrinkGoal goal = to_200();
  goal.high_before = Limit(mib(150));
  Shrink shrink(goal);
  Container web{.sample = {.at = 5s, .memory = {.use = mib(150), .need = mib(100)}},
                .high = goal.high_before};
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::write_max);
  EXPECT_EQ(web.high, goal.high_before);
}

TEST(Shrink, ANeedThatComesAboveTheBrakeTakesItBackInEveryStage) {
  for (const Kind before : {Kind::lower_high, Kind::reclaim, Kind::wait, Kind::write_max}) {
    Shrink shrink(to_200());
    Container web;
    EXPECT_EQ(web.until(shrink, before).kind, before);
    web.sample.memory.need = mib(195);
    const ShrinkAction action = shrink.next(web.sample);
    EXPECT_EQ(action.kind, Kind::revert);
    ASSERT_TRUE(action.why);
    EXPECT_NE(action.why->message().find("195M and 12.5M of headroom"), std::string::npos)
        << action.why->message();
    EXPECT_EQ(shrink.peak_need(), mib(195));
  }
}

TEST(Shrink, UseThatSlipsBeforeTheCutIsSqueezedAgain) {
  Shrink shrink(to_200());
  Container web;
  EXPECT_EQ(web.until(shrink, Kind::wait).kind, Kind::wait);
  web.sample.memory.use = mib(210);
  EXPECT_EQ(web.step(shrink).kind, Kind::reclaim);
  const auto slipped = web.sample.at;
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::write_max);
  EXPECT_GE(web.sample.at, slipped + 7s) << "and watched from the start";
}

TEST(Shrink, UseThatSlipsAfterTheCutTakesItBack) {
  Shrink shrink(to_200());
  Container web;
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::write_max);
  web.sample.memory.use = mib(195);
  EXPECT_EQ(shrink.next(web.sample).kind, Kind::revert);
}

TEST(Shrink, ANeedThatMovesGetsRoomForAPeakThatWasNotSeen) {
  for (const bool fits : {true, false}) {
    Shrink shrink(to_200());
    Container web;
    EXPECT_EQ(web.until(shrink, Kind::wait).kind, Kind::wait);
    web.sample.memory.need = mib(fits ? 165 : 175);  // from 100; the brake is at 187.5
    EXPECT_EQ(web.step(shrink).kind, Kind::wait);
    web.sample.memory.need = mib(100);
    EXPECT_EQ(web.until(shrink, Kind::write_max).kind, fits ? Kind::write_max : Kind::revert);
    EXPECT_EQ(web.max_written, fits);
  }
}

TEST(Shrink, AnOomKillCountsFromTheCutOn) {
  Shrink shrink(to_200());
  Container web;
  web.sample.oom_kills = 3;
  EXPECT_EQ(web.until(shrink, Kind::wait).kind, Kind::wait);
  web.sample.oom_kills = 4;  // by the limit that still stands
  EXPECT_EQ(web.until(shrink, Kind::write_max).kind, Kind::write_max);
  web.sample.oom_kills = 5;
  EXPECT_EQ(shrink.next(web.sample).kind, Kind::revert);
}

TEST(Shrink, WhatCannotBeReclaimedEndsWithTheBudgetAndIsNotTriedWithoutPause) {
  Shrink shrink(to_200());
  Container web;
  int reclaims = 0, waits = 0;
  for (int n = 0; n < 100'000; ++n) {
    web.sample.memory.use = mib(300);
    const ShrinkAction action = web.step(shrink);
    if (action.kind == Kind::revert) break;
    reclaims += action.kind == Kind::reclaim ? 1 : 0;
    waits += action.kind == Kind::wait ? 1 : 0;
  }
  EXPECT_GE(waits, reclaims - 1);
  EXPECT_GE(web.sample.at, 5s + 27s);
  EXPECT_LT(web.sample.at, 5s + 30s);
}

ShrinkAction suffer(double stalled, Bytes refaulted) {
  Shrink shrink(to_200());
  Container web;
  web.sample.stalled = 7s;
  for (int second = 0; second < 4; ++second) {
    ShrinkAction action = shrink.next(web.sample);
    if (action.kind == Kind::revert) return action;
    web.sample.at += 1s;
    web.sample.stalled =
        *web.sample.stalled + std::chrono::microseconds(static_cast<std::int64_t>(stalled * 1e6));
    web.sample.refaulted = Bytes(web.sample.refaulted.count() + refaulted.count());
  }
  return {};
}

TEST(Shrink, SufferingForTwoSecondsTakesItBack) {
  EXPECT_EQ(suffer(0.3, mib(50)).kind, Kind::wait);
  EXPECT_EQ(suffer(0.7, mib(0)).kind, Kind::revert);
  EXPECT_EQ(suffer(0, mib(150)).kind, Kind::revert);
}

TEST(ParseNeed, CountsWhatNoReclaimTakes) {
  EXPECT_THAT(parse_need("anon 100\nfile 500\nshmem 20\n", Bytes(0)), HasValue(Bytes(120)));
  EXPECT_THAT(parse_need("anon 100\nfile 500\nkernel 50\nslab_reclaimable 30\nsock 7\n", Bytes(0)),
              HasValue(Bytes(127)));
  EXPECT_THAT(parse_need("anon 100\nfile 500\nkernel_stack 1\npagetables 2\npercpu 3\nslab_unreclaimable 4\n",
                         Bytes(0)),
              HasValue(Bytes(110)));
  // Locked pages of a file are on no other list.
  EXPECT_THAT(parse_need("anon 100\ninactive_anon 60\nactive_anon 40\nunevictable 50\n", Bytes(0)),
              HasValue(Bytes(150)));
}

TEST(ParseNeed, TakesOffWhatFitsIntoSwap) {
  constexpr std::string_view kStat = "anon 100\ninactive_anon 30\nactive_anon 40\nunevictable 30\n";
  EXPECT_THAT(parse_need(kStat, Bytes(25)), HasValue(Bytes(75)));
  EXPECT_THAT(parse_need(kStat, Bytes(1000)), HasValue(Bytes(30)));
}

TEST(ParseNeed, NothingIsInvented) {
  EXPECT_THAT(parse_need("", Bytes(0)), HasError(ErrorKind::failed));
  EXPECT_THAT(parse_need("file 5\n", Bytes(0)), HasError(ErrorKind::failed));
  EXPECT_THAT(parse_need("anon -5\n", Bytes(0)), HasError(ErrorKind::failed));
}

}  // namespace
}  // namespace weir::limits
