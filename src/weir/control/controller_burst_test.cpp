// SPDX-License-Identifier: MIT
// The Controller with a policy that eases a limit before it raises it.
#include <gmock/gmock.h>

#include "support/control_host.h"

#include "weir/control/controller.h"

namespace weir::control {
namespace {

using policy::Resource;
using policy::Verdict;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Controller, BurstsAreLetInBeforeTheLimitIsRaised) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds, "burst"))}});
  host.start(0, idle);
  host.run(1);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_FALSE(actions[0].setting);
  ASSERT_THAT(actions[0].eases, SizeIs(1));
  EXPECT_EQ(actions[0].eases[0], (cgroup::Setting{cgroup::Knob::cpu_max_burst, "", "50000"}));
  EXPECT_TRUE(actions[0].urgent);
  host.carry_out(actions);
  EXPECT_EQ(host.burst(), 0.5);
  EXPECT_EQ(host.limit(), 0.5);
  host.run(60);  // nothing holds it back any more
  EXPECT_EQ(host.burst(), 0);
  EXPECT_LT(host.limit(), 0.5);
}

TEST(Controller, AUseThatStaysAtTheLimitRaisesItUpToTheHardOneAndDownAgain) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds, "burst"))}});
  host.start(0, [](double seconds) { return seconds < 20 ? 10 : 0.1; });
  host.run(15);
  EXPECT_EQ(host.limit(), 2);
  EXPECT_EQ(host.burst(), 0);
  EXPECT_EQ(host.count(Verdict::at_hard), 1U);
  host.run(60);
  EXPECT_EQ(host.limit(), 0.2);
  EXPECT_EQ(host.burst(), 0);
}

TEST(Controller, ABurstThatSomeoneSetsCountsWithinTheHardLimit) {
  ControlHost host(
      {.entries = {entry(
           "web", cpu_of({.soft = 1.5, .hard = 2, .floor = 0.2, .step = 0.25, .cooldown = 0.2}, "burst"))}});
  host.start(0, idle);
  using cgroup::Knob;
  EXPECT_THAT(host.controller().found(host.id(), {Knob::cpu_max_burst, "", "40000"}, host.moment()),
              IsEmpty());
  const auto actions = host.controller().found(host.id(), {Knob::cpu_max_burst, "", "90000"}, host.moment());
  ASSERT_THAT(actions, SizeIs(1));
  ASSERT_THAT(actions[0].eases, SizeIs(1));
  EXPECT_EQ(actions[0].eases[0].text, "50000");
  EXPECT_FALSE(actions[0].setting);
}

TEST(Controller, WhatEasedALimitBeforeAKillIsKnownAgain) {
  const Config config{.entries = {entry("web", cpu_of(kBounds, "burst"))}};
  Controller controller(config);
  Controller::Present present{.setting = {cgroup::Knob::cpu_max, "", "125000 100000"}, .resumed = true};
  present.eases = {{cgroup::Knob::cpu_max_burst, "", "50000"}, {cgroup::Knob::cpu_weight, "", "400"}};
  present.weight_before = 100;
  EXPECT_THAT(controller.add({.container = {}, .cgroup_id = CgroupId(7)}, config.entries[0], {present}, {}),
              IsEmpty());
  (void)controller.wake(CgroupId(7), Resource::cpu, {});
  ASSERT_THAT(controller.looks(), SizeIs(1));
  const policy::View& view = controller.looks()[0].view;
  EXPECT_EQ(view.burst, 0.5);
  EXPECT_EQ(view.burst_most, 0.75);
  EXPECT_EQ(view.weight, 400);
  EXPECT_EQ(view.weight_before, 100);
}

}  // namespace
}  // namespace weir::control
