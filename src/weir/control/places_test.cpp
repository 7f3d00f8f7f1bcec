// SPDX-License-Identifier: MIT
#include "weir/control/places.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"

namespace weir::control {
namespace {

using Kind = sample::RosterChange::Kind;
using std::chrono::milliseconds;
using testing::FakeCgroupfs;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PlacesTest : public ::testing::Test {
 protected:
  PlacesTest() { clock_.tick(milliseconds(5000)); }
  std::vector<sample::RosterChange> look() {
    return places_.look([](CgroupId) { return false; });
  }

  FakeCgroupfs fs_{{"demo", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  ManualClock clock_;
  Places places_{*root_, clock_};
};

TEST_F(PlacesTest, TakesInACgroupWhenItAppearsAndOnce) {
  places_.look_for({"/demo", "/later"});
  const auto first = look();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].subject.container.name, "/demo");
  EXPECT_THAT(look(), IsEmpty());
  fs_.add("later");
  const auto second = look();
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].subject.container.cgroup, "/later");
}

TEST_F(PlacesTest, LetsAContainerOrServiceBeWhoIsSampledElsewhere) {
  places_.look_for({"/demo"});
  EXPECT_THAT(places_.look([](CgroupId) { return true; }), IsEmpty());
}

TEST_F(PlacesTest, AnotherCgroupOfTheSamePathIsAnotherOne) {
  places_.look_for({"/demo"});
  const CgroupId before = look()[0].subject.cgroup_id;
  fs_.remove("demo");
  fs_.add("demo");
  const auto changes = look();
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].kind, Kind::ended);
  EXPECT_EQ(changes[0].subject.cgroup_id, before);
  EXPECT_EQ(changes[1].kind, Kind::started);
  EXPECT_NE(changes[1].subject.cgroup_id, before);
}

TEST_F(PlacesTest, WhatIsNotLookedForAnyMoreHasEnded) {
  places_.look_for({"/demo"});
  look();
  places_.look_for({});
  const auto changes = look();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].kind, Kind::ended);
  EXPECT_EQ(places_.next(), nullptr);
}

TEST_F(PlacesTest, FramesComeAtTheirTickAndWithoutTheHost) {
  EXPECT_EQ(places_.again(), std::chrono::nanoseconds::max());
  places_.look_for({"/demo"});
  look();
  const Frame* frame = places_.next();
  ASSERT_NE(frame, nullptr);
  ASSERT_THAT(frame->subjects, SizeIs(1));
  EXPECT_NE(frame->samples[0].read_at[index(Source::memory_events)], 0);
  EXPECT_EQ(frame->host.get(Metric::cpu_usage), std::nullopt);
  EXPECT_EQ(places_.next(), nullptr);
  EXPECT_EQ(places_.again(), clock_.monotonic() + Places::kTick);
  clock_.tick(Places::kTick);
  EXPECT_NE(places_.next(), nullptr);
}

TEST_F(PlacesTest, OneThatEndsBetweenTwoLooksIsToldAtTheNext) {
  places_.look_for({"/demo"});
  look();
  places_.next();
  fs_.remove("demo");
  clock_.tick(Places::kTick);
  const Frame* frame = places_.next();
  ASSERT_NE(frame, nullptr);
  EXPECT_THAT(frame->subjects, IsEmpty());
  ASSERT_THAT(look(), SizeIs(1));
}

}  // namespace
}  // namespace weir::control
