// SPDX-License-Identifier: MIT
// What is done for a cgroup that is named by path, and that a rehearsal says the same.
#include "weir/control/prepare.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "support/fake_cgroupfs.h"
#include "support/temp_dir.h"

namespace weir::control {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Prepare : public ::testing::Test {
 protected:
  static Entry entry(std::string_view path, std::vector<Pid> pids) {
    return {.target = container::parse_target(path).value(),
            .where = {},
            .create = false,
            .pids = std::move(pids),
            .resources = {}};
  }

  testing::TempDir tree_;
  HostPaths paths_{.proc = tree_.path(), .host_root = tree_.path()};
  FakeCgroupfs fs_{{"mine.slice", {}}, {"demo", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
};

TEST_F(Prepare, PutsNoProcessIntoWhatBelongsToOthersAndSaysSoBefore) {
  const Entry theirs = entry("/mine.slice", {Pid(::getppid())});
  const auto says = ElementsAre(HasSubstr("belongs to systemd (mine.slice)"));
  const Prepared before = rehearse(theirs, *root_, paths_);
  EXPECT_THAT(before.troubles, says);
  EXPECT_THAT(before.steps, IsEmpty());
  const auto dir = fs_.dir("mine.slice");
  EXPECT_THAT(put_in(theirs, *root_, paths_, *dir).troubles, says);
}

TEST_F(Prepare, SaysOfEachProcessThatMayNotBeMovedWhy) {
  const Entry mine = entry("/demo", {Pid(1), Pid(::getpid())});
  const auto says = ElementsAre(HasSubstr("init process"), HasSubstr("this weir"));
  EXPECT_THAT(rehearse(mine, *root_, paths_).troubles, says);
  const auto dir = fs_.dir("demo");
  EXPECT_THAT(put_in(mine, *root_, paths_, *dir).troubles, says);
}

TEST_F(Prepare, WhatIsMissingIsTakenInLater) {
  EXPECT_THAT(rehearse(entry("/later", {}), *root_, paths_).troubles,
              ElementsAre(HasSubstr("/later is not there")));
}

}  // namespace
}  // namespace weir::control
