// SPDX-License-Identifier: MIT
// The Controller against a host that is made up.
#include "weir/control/controller.h"

#include <gmock/gmock.h>

#include "support/control_host.h"

namespace weir::control {
namespace {

using policy::Resource;
using policy::Verdict;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Controller, BeginsWithTheSoftLimit) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  EXPECT_EQ(host.limit(), 0.5);
}

TEST(Controller, GoesOnFromWhatAControllerBeforeItSet) {
  Config config{.entries = {entry("web", cpu_of(kBounds))}};
  Controller controller(config);
  const Controller::Present present{.setting = {cgroup::Knob::cpu_max, "", "125000 100000"}, .resumed = true};
  EXPECT_THAT(controller.add({.container = {}, .cgroup_id = CgroupId(7)}, config.entries[0], {present}, {}),
              IsEmpty());
}

TEST(Controller, FollowsTheLoadUpAndDown) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, [](double seconds) { return seconds < 20 ? 1.2 : 0.3; });
  host.run(10);
  EXPECT_GE(host.limit(), 1.2);
  EXPECT_LE(host.limit(), 1.5);
  host.run(40);
  EXPECT_LE(host.limit(), 0.6);
  EXPECT_GE(host.limit(), 0.3);
}

TEST(Controller, TellsTheHardLimitOnceAndChangesNothing) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, busy);
  host.run(60);
  EXPECT_EQ(host.limit(), 2);
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  EXPECT_EQ(host.count(Verdict::lower), 1U);  // the first: from max to soft
}

TEST(Controller, WhatComesAndGoesInTurnIsToldOnceEach) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, [](double) { return 2.5; });
  host.run(10);
  for (int n = 0; n < 10; ++n) {
    host.crowd(n % 2 == 0 ? 1 : 0);
    host.run(1);
  }
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  EXPECT_EQ(host.count(Verdict::refused), 1U);
}

TEST(Controller, ASteadyLoadIsLeftAlone) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, [](double) { return 0.6; });
  host.run(30);
  const std::size_t before = host.told().size();
  host.run(600);
  EXPECT_EQ(host.told().size(), before);
}

TEST(Controller, WhatTheKernelTellsIsDecidedAtOnce) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_TRUE(actions[0].urgent);
  EXPECT_EQ(actions[0].decision.verdict, Verdict::raise);
  EXPECT_THAT(host.controller().wake(CgroupId(1), Resource::cpu, host.moment()), IsEmpty());
}

TEST(Controller, ALimitThatWasNotWrittenIsNotInForce) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto first = host.controller().wake(host.id(), Resource::cpu, host.moment());
  const auto again = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(first[0].decision.limit, again[0].decision.limit);
}

TEST(Controller, AFrameWithoutTheHostLeavesItsLoadAsItWas) {
  Config config{.entries = {entry("web", cpu_of(kBounds))}};
  Controller controller(config);
  const Subject web{.container = {}, .cgroup_id = CgroupId(7)};
  (void)controller.add(web, config.entries[0],
                       {{.setting = {cgroup::Knob::cpu_max, "", "50000 100000"}, .resumed = true}}, {});
  Frame host, plain{.subjects = {web}, .samples = {{}}};
  host.host.set(Metric::cpu_limit, 2'000'000);
  for (const std::uint64_t second : {1U, 2U, 3U}) {
    host.at = plain.at = std::chrono::seconds(second);
    host.host.set(Metric::cpu_usage, second * 1'000'000);
    for (Sample* sample : {&host.host, &plain.samples[0]})
      for (std::int64_t& read : sample->read_at) read = host.at.count();
    plain.samples[0].set(Metric::cpu_usage, second * 100'000);
    (void)controller.see(host);
    (void)controller.see(plain);
  }
  ASSERT_THAT(controller.looks(), SizeIs(1));
  EXPECT_EQ(controller.looks()[0].view.host_busy, 0.5);
}

TEST(Controller, ARaiseThatWaitsIsTakenBackWhenItIsNotNeededAnyMore) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  host.run(2);
  const double before = host.limit();
  const auto raise = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(raise, SizeIs(1));
  const std::size_t told = host.told().size();
  host.run(0.2);
  ASSERT_EQ(host.told().size(), told + 1);
  EXPECT_EQ(host.told().back(), Verdict::keep);
  EXPECT_EQ(host.limit(), before);
  host.run(0.2);
  EXPECT_EQ(host.told().size(), told + 1);
}

TEST(Controller, NeverGivesAwayMoreThanTheHostHasLeft) {
  ControlHost host(
      {.entries = {entry("a", cpu_of(kBounds)), entry("b", cpu_of(kBounds))}, .reserve_cpus = 0.5}, 3);
  host.start(0, busy);
  host.start(1, busy);
  host.run(30);
  EXPECT_LE(host.limit(0) + host.limit(1), 2.5);
  EXPECT_EQ(host.count(Verdict::refused), 2U);  // each told once
}

TEST(Controller, APriorityTakesWhatALowerOneHoldsAndDoesNotUse) {
  policy::Bounds wide = kBounds;
  wide.soft = 2;
  Managed held = cpu_of(wide);
  held.parameters[1] = 3600;  // by itself it would stay up
  for (const int priority : {0, 9}) {
    ControlHost host({.entries = {entry("low", held, 1), entry("high", cpu_of(kBounds), priority)}}, 2.5);
    host.start(0, idle);
    host.start(1, busy);
    host.run(10);
    EXPECT_EQ(host.limit(0), priority == 9 ? 0.2 : 2);
    EXPECT_EQ(host.limit(1), priority == 9 ? 2 : 0.5);
  }
}

TEST(Controller, WhatSomeoneElseSetCountsFromThenOn) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  host.run(1);
  EXPECT_THAT(host.controller().found(host.id(), {cgroup::Knob::cpu_max, "", "50000 50000"}, host.moment()),
              IsEmpty());
  const auto actions = host.controller().wake(host.id(), Resource::cpu,
                                              {.at = host.moment().at + std::chrono::seconds(1), .time = {}});
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].setting->text, "62500 50000");  // by their period, too
}

TEST(Controller, ALimitThatSomeoneTookAwayIsWrittenAgain) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  const auto actions =
      host.controller().found(host.id(), {cgroup::Knob::cpu_max, "", "max 100000"}, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].decision.limit, 0.5);
}

TEST(Controller, AFirstLimitThatCouldNotBeWrittenIsTriedAgain) {
  const Config config{.entries = {entry("web", cpu_of(kBounds))}};
  Controller controller(config);
  const Subject web{.container = {.name = "web"}, .cgroup_id = CgroupId(7)};
  const cgroup::Setting none{cgroup::Knob::cpu_max, "", "max 100000"};
  ASSERT_THAT(controller.add(web, config.entries[0], {{.setting = none}}, {}), SizeIs(1));
  const auto actions = controller.found(web.cgroup_id, none, {});
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].decision.limit, kBounds.soft);
}

TEST(Controller, RoomIsMadeWithinTheBoundsAlsoWhereNoLimitIsInForce) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds)), entry("db", cpu_of(kBounds), 9)}}, 2);
  host.start(0, [](double) { return 5.0; });
  host.run(1);
  host.take_away(0);
  host.run(0.4);  // it uses more than it ever may
  host.start(1, busy);
  host.run(1);
  EXPECT_LE(host.limit(0), kBounds.hard);
}

}  // namespace
}  // namespace weir::control
