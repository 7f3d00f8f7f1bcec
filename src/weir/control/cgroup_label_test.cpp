// SPDX-License-Identifier: MIT
#include "weir/control/cgroup_label.h"

#include <gmock/gmock.h>

namespace weir::control {
namespace {

using ::testing::HasSubstr;

Container labelled(const std::string& label) {
  return {.name = "web",
          .id = "abc",
          .cgroup = "/system.slice/docker-abc.scope",
          .labels = {{kCgroupLabel, label}}};
}

TEST(CgroupLabel, IsNothingWithoutOne) { EXPECT_EQ(describe_label({.name = "web"}), ""); }

TEST(CgroupLabel, IsRightWhereItSaysTheCgroup) {
  EXPECT_THAT(describe_label(labelled("/system.slice/docker-abc.scope")), HasSubstr("is where its label"));
  EXPECT_THAT(describe_label(labelled("/system.slice/docker-<container id>.scope")),
              HasSubstr("is where its label"));
}

TEST(CgroupLabel, IsToldBesideTheTruthWhereItIsWrong) {
  const std::string said = describe_label(labelled("/system.slice/sshd.service"));
  EXPECT_THAT(said, HasSubstr("is in /system.slice/docker-abc.scope, not where"));
  EXPECT_THAT(said, HasSubstr("/system.slice/sshd.service"));
  EXPECT_THAT(said, HasSubstr("not followed"));
}

}  // namespace
}  // namespace weir::control
