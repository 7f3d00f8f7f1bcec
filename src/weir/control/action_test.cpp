// SPDX-License-Identifier: MIT
#include "weir/control/action.h"

#include <gmock/gmock.h>

#include "support/control_host.h"

namespace weir::control {
namespace {

using policy::Resource;

TEST(ToEvent, SaysEverythingThatTheDecisionWasMadeBy) {
  ControlHost host({.entries = {entry("web", cpu_of(kBounds))}});
  host.start(0, idle);
  host.run(5);
  const auto actions = host.controller().wake(host.id(), Resource::cpu, host.moment());
  const Event event = to_event(actions[0], host.moment());
  EXPECT_EQ(event.kind, EventKind::soft_limit_raised);
  for (const policy::Field& field : policy::kFields)
    EXPECT_TRUE(std::ranges::any_of(event.details, [&](const auto& each) {
      return each.first == field.name;
    })) << field.name;
}

TEST(ToSetting, IsWhatTheKernelTakes) {
  using cgroup::Knob;
  EXPECT_EQ(to_setting(Resource::cpu, 1.5, "", std::chrono::microseconds(50'000)).text, "75000 50000");
  EXPECT_EQ(to_setting(Resource::cpu, 0.0001, "", std::chrono::microseconds(100'000)).text, "1000 100000");
  EXPECT_EQ(to_setting(Resource::memory, 10'000, "", {}).text, "8192");
  const cgroup::Setting io = to_setting(Resource::io_write, 4096, "8:0", {});
  EXPECT_EQ(io.device, "8:0");
  EXPECT_EQ(to_limit(Resource::io_write, io), 4096);
  EXPECT_EQ(to_limit(Resource::io_read, io), std::nullopt);
}

}  // namespace
}  // namespace weir::control
