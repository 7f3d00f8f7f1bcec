// SPDX-License-Identifier: MIT
#include "weir/events/detector.h"

#include <gmock/gmock.h>

#include "weir/events/event_json.h"

namespace weir::events {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// One container, a second a frame.
class DetectorTest : public ::testing::Test {
 protected:
  DetectorTest() {
    frame_.subjects.push_back({.container = {.name = "web", .cgroup = "/web"}, .cgroup_id = CgroupId(7)});
    frame_.samples.emplace_back();
    grow(Metric::cpu_some, 0);
    see();
  }
  /// A counter of the container in the next frame.
  void grow(Metric metric, std::uint64_t by) { add(frame_.samples.front(), metric, by); }
  static void add(Sample& sample, Metric metric, std::uint64_t by) {
    sample.set(metric, sample.values[index(metric)] + by);
  }
  std::vector<Event> see() {
    ++frame_.number;
    frame_.at += seconds(1);
    frame_.time += seconds(1);
    for (Sample* sample : {&frame_.host, &frame_.samples.front()}) sample->read_at.fill(frame_.at.count());
    return detector_.see(frame_);
  }
  std::vector<std::string> see_names() {
    std::vector<std::string> names;
    for (const Event& event : see())
      names.push_back(std::string(to_string(event.kind)) + " " + std::string(to_string(event.state)));
    return names;
  }
  Frame frame_;
  Detector detector_;
};

TEST_F(DetectorTest, AWaitOverTheThresholdIsOneEventWhileItLasts) {
  grow(Metric::cpu_some, 300'000);
  EXPECT_THAT(see_names(), ElementsAre("psi_spike begin"));
  for (int n = 0; n < 10; ++n) {
    grow(Metric::cpu_some, n % 2 == 0 ? 150'000 : 400'000);  // about the threshold
    EXPECT_THAT(see_names(), IsEmpty());
  }
}

TEST_F(DetectorTest, ItEndsOnceItHasBeenCalmForAWhile) {
  grow(Metric::cpu_some, 300'000);
  see();
  for (int n = 0; n < 5; ++n) {
    grow(Metric::cpu_some, 10'000);
    EXPECT_THAT(see_names(), IsEmpty()) << n;
  }
  grow(Metric::cpu_some, 10'000);
  const std::vector<Event> events = see();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(event_json(events[0]),
            R"({"schema":1,"time":"1970-01-01T00:00:08.000000Z","time_ns":8000000000,"event":"psi_spike",)"
            R"("state":"end","scope":"container","container":{"name":"web","runtime":"-","cgroup":"/web",)"
            R"("cgroup_id":7},"resource":"cpu","worst_percent":30.0,"lasted_ms":6000})");
}

TEST_F(DetectorTest, ThrottlingIsJudgedByThePeriodsThatWere) {
  grow(Metric::cpu_periods, 10);
  grow(Metric::cpu_throttled_periods, 2);
  see();  // counted for the first time
  grow(Metric::cpu_periods, 10);
  grow(Metric::cpu_throttled_periods, 2);
  EXPECT_THAT(see_names(), IsEmpty());
  grow(Metric::cpu_periods, 10);
  grow(Metric::cpu_throttled_periods, 9);
  EXPECT_THAT(see_names(), ElementsAre("cpu_throttled begin"));
}

TEST_F(DetectorTest, MemoryEventsAreCountedUntilTheyStop) {
  grow(Metric::memory_max, 0);
  see();
  grow(Metric::memory_max, 3);
  EXPECT_THAT(see_names(), ElementsAre("memory_max begin"));
  grow(Metric::memory_max, 4);
  EXPECT_THAT(see_names(), IsEmpty());
  for (int n = 0; n < 5; ++n) EXPECT_THAT(see_names(), IsEmpty());
  const std::vector<Event> events = see();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].state, EventState::end);
  EXPECT_EQ(events[0].details.front(), (std::pair<std::string, Event::Value>("times", std::int64_t{7})));
}

TEST_F(DetectorTest, EveryKillIsToldAndThoseOfAContainerNotOfTheHostAsWell) {
  grow(Metric::memory_oom_kill, 0);
  add(frame_.host, Metric::memory_oom_kill, 5);
  see();
  grow(Metric::memory_oom_kill, 2);
  add(frame_.host, Metric::memory_oom_kill, 1);  // the other one came after the host was read
  EXPECT_THAT(see_names(), ElementsAre("oom_kill once"));
  add(frame_.host, Metric::memory_oom_kill, 1);
  EXPECT_THAT(see_names(), IsEmpty());
  add(frame_.host, Metric::memory_oom_kill, 1);  // of no container
  EXPECT_THAT(see_names(), IsEmpty());
  const std::vector<Event> events = see();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_FALSE(events[0].subject);
}

TEST_F(DetectorTest, ANewCgroupOfTheSameNameBeginsAnew) {
  grow(Metric::cpu_some, 300'000);
  EXPECT_THAT(see_names(), SizeIs(1));
  frame_.subjects.front().cgroup_id = CgroupId(8);
  frame_.samples.front() = {};
  grow(Metric::cpu_some, 900'000);
  EXPECT_THAT(see_names(), IsEmpty());
}

TEST_F(DetectorTest, ACounterThatGoesBackIsNoEvent) {
  grow(Metric::cpu_some, 900'000);
  see();
  detector_ = Detector();
  see();
  frame_.samples.front().set(Metric::cpu_some, 5);
  EXPECT_THAT(see_names(), IsEmpty());
}

/// Counts of memory.events, read between the frames.
class EarlyTest : public DetectorTest {
 protected:
  std::vector<Event> see_early(Metric metric, std::uint64_t value) {
    Sample sample;
    for (const MetricInfo& each : metrics_of(Source::memory_events)) sample.set(each.metric, 0);
    sample.set(metric, value);
    sample.read_at[index(Source::memory_events)] = (frame_.at + std::chrono::milliseconds(300)).count();
    return detector_.see(frame_.subjects.front(), sample, {.at = frame_.at, .time = frame_.time});
  }
  [[nodiscard]] const Subject& web() const { return frame_.subjects.front(); }
};

TEST_F(EarlyTest, WhatTheKernelSaysBeginsAtOnceAndEndsByFrames) {
  const std::vector<Event> events = detector_.begin(&web(), throttled, {{"held_ms", 80.0}}, {});
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::cpu_throttled);
  EXPECT_THAT(detector_.begin(&web(), throttled, {}, {}), IsEmpty()) << "it lasts";
  EXPECT_TRUE(detector_.lasts(web().cgroup_id, throttled));
  grow(Metric::cpu_periods, 10);
  grow(Metric::cpu_throttled_periods, 0);
  see();
  for (int n = 0; n < 5; ++n) {
    grow(Metric::cpu_periods, 10);
    EXPECT_THAT(see_names(), IsEmpty());
  }
  grow(Metric::cpu_periods, 10);
  EXPECT_THAT(see_names(), ElementsAre("cpu_throttled end"));
}

TEST_F(EarlyTest, ACountThatWasReadEarlyIsNotToldAgainByAnOlderFrame) {
  add(frame_.samples.front(), Metric::memory_max, 0);
  see();
  EXPECT_THAT(see_early(Metric::memory_max, 4), SizeIs(1));
  frame_.at -= std::chrono::milliseconds(900);  // a frame that was read before, and comes now
  EXPECT_THAT(see_names(), IsEmpty());
  grow(Metric::memory_max, 4);
  EXPECT_THAT(see_names(), IsEmpty());
}

TEST_F(EarlyTest, OneThatHasJustStartedIsCountedFromZero) {
  detector_.expect(web(), Source::memory_events,
                   {.at = frame_.at + std::chrono::milliseconds(1), .time = frame_.time});
  const std::vector<Event> events = see_early(Metric::memory_oom_kill, 1);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::oom_kill);
}

TEST_F(EarlyTest, AVictimIsToldWithItsKillAndTheRestWithout) {
  add(frame_.samples.front(), Metric::memory_oom_kill, 0);
  see();
  detector_.see(
      Victim{.cgroup = CgroupId(9), .limit = CgroupId(9), .comm = "other", .pid = 1, .at = frame_.at});
  detector_.see(
      Victim{.cgroup = CgroupId(7), .limit = CgroupId(7), .comm = "hungry", .pid = 42, .at = frame_.at});
  const std::vector<Event> events = see_early(Metric::memory_oom_kill, 3);
  ASSERT_THAT(events, SizeIs(2));
  using Details = decltype(Event::details);
  EXPECT_EQ(events[0].details, (Details{{"kills", std::int64_t{1}},
                                        {"victim_comm", std::string("hungry")},
                                        {"victim_pid", std::int64_t{42}},
                                        {"limit_of", std::string("container")}}));
  EXPECT_EQ(events[1].details, (Details{{"kills", std::int64_t{2}}}));
}

TEST_F(EarlyTest, OfTenFramesASecondOneIsJudged) {
  grow(Metric::cpu_periods, 1);
  grow(Metric::cpu_throttled_periods, 1);
  see();
  for (int n = 0; n < 9; ++n) {
    ++frame_.number;
    frame_.at += std::chrono::milliseconds(100);
    frame_.samples.front().read_at.fill(frame_.at.count());
    grow(Metric::cpu_periods, 1);
    grow(Metric::cpu_throttled_periods, n == 0 ? 1 : 0);
    EXPECT_THAT(detector_.see(frame_), IsEmpty()) << "one period of ten";
  }
}

}  // namespace
}  // namespace weir::events
