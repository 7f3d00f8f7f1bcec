// SPDX-License-Identifier: MIT
// The Watch on the fake cgroupfs, without BPF: drift is found by reading again.
#include "weir/limits/watch.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::limits {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using ::testing::IsEmpty;
using testing::Succeeds;
using Kind = WatchEvent::Kind;

class WatchTest : public ::testing::Test {
 protected:
  void set(const char* setting) {
    Journal journal = Journal::open(run_.path(), "boot-1").value();
    const Request request{.targets = {{.target = "web",
                                       .container = {.name = "web", .cgroup = "/web"},
                                       .settings = {cgroup::parse_setting(setting).value()}}},
                          .guarded = {}};
    Plan plan = make_plan(*root_, request).value();
    ASSERT_THAT(apply(plan, journal, clock_, {}), Succeeds());
  }
  void undo_last() {
    Journal journal = Journal::open(run_.path(), "boot-1").value();
    undo(*root_, journal.read().value(), &journal, {.selection = {}, .by = "test"});
  }
  void hold() {
    watch_.hold({.name = "web", .cgroup = "/web"}, {cgroup::parse_setting("cpu.weight=50").value()});
  }
  /// Looks at everything, half a second apart, and says what happened.
  std::vector<Kind> look() {
    std::vector<Kind> kinds;
    for (int n = 0; n < 2; ++n) {
      watch_.check_all();
      EXPECT_THAT(watch_.turn(), Succeeds());
      clock_.tick(std::chrono::milliseconds(500));
    }
    for (const WatchEvent& event : watch_.take_events()) kinds.push_back(event.kind);
    return kinds;
  }
  void someone_writes(const char* text) { fs_.set("web", "cpu.weight", text); }
  std::string weight() { return fs_.get("web", "cpu.weight"); }

  testing::TempDir run_;
  FakeCgroupfs fs_{{"web", {}}, {"db", {}}};
  ManualClock clock_;
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  HostPaths paths_{.run_dir = run_.path()};
  Regulator regulator_{*root_,
                       Journal::open(run_.path(), "boot-1").value(),
                       clock_,
                       {.who = {}, .reason = std::string(kGuardReason), .guarded = {}}};
  Watch watch_{
      {.root = *root_, .paths = paths_, .clock = clock_, .regulator = regulator_, .boot_id = "boot-1"}};
};

TEST_F(WatchTest, YieldsToAnotherProgramAndTellsOnce) {
  set("cpu.weight=50");
  EXPECT_THAT(watch_.watch_journal(), Succeeds());
  EXPECT_THAT(look(), ElementsAre(Kind::taken_up));
  someone_writes("70\n");
  EXPECT_THAT(look(), ElementsAre(Kind::yielded));
  EXPECT_EQ(weight(), "70\n");
  EXPECT_THAT(watch_.watch_journal(), Succeeds());
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(WatchTest, ADifferenceThatPassesIsNone) {
  set("cpu.weight=50");
  EXPECT_THAT(watch_.watch_journal(), Succeeds());
  look();
  someone_writes("70\n");
  watch_.check_all();
  someone_writes("50\n");
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(WatchTest, FollowsWhatWeirItselfChanges) {
  set("cpu.weight=50");
  EXPECT_THAT(watch_.watch_journal(), Succeeds());
  look();
  set("cpu.weight=60");
  EXPECT_THAT(look(), ElementsAre(Kind::adopted));
  undo_last();
  EXPECT_THAT(look(), ElementsAre(Kind::released));
}

TEST_F(WatchTest, ARuleSetsItsValueAndPutsItBack) {
  hold();
  EXPECT_THAT(look(), ElementsAre(Kind::taken_up, Kind::reapplied));
  EXPECT_EQ(weight(), "50\n");
  someone_writes("70\n");
  EXPECT_THAT(look(), ElementsAre(Kind::reapplied));
  EXPECT_EQ(weight(), "50\n");
}

TEST_F(WatchTest, WhatARuleWroteIsTakenBackToTheFirstValue) {
  hold();
  look();
  someone_writes("70\n");
  look();
  Journal journal = Journal::open(run_.path(), "boot-1").value();
  undo(*root_, journal.read().value(), &journal, {.selection = {.kind = Selection::Kind::all}, .by = "test"});
  EXPECT_EQ(weight(), "100\n");
}

TEST_F(WatchTest, ARuleFollowsANewerOrderAndLetsGoAfterAnUndo) {
  hold();
  look();
  set("cpu.weight=60");
  EXPECT_THAT(look(), ElementsAre(Kind::adopted));
  someone_writes("70\n");
  EXPECT_THAT(look(), ElementsAre(Kind::reapplied));
  EXPECT_EQ(weight(), "60\n");
  undo_last();
  EXPECT_THAT(look(), ElementsAre(Kind::released));
  hold();
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(WatchTest, ARuleTakesUpWhatWasOnceTakenBack) {
  set("cpu.weight=60");
  undo_last();
  hold();
  EXPECT_THAT(look(), ElementsAre(Kind::taken_up, Kind::reapplied));
  EXPECT_EQ(weight(), "50\n");
}

TEST_F(WatchTest, GivesWayToOneThatInsists) {
  hold();
  look();
  for (int n = 0; n < 9; ++n) {
    someone_writes("70\n");
    EXPECT_THAT(look(), ElementsAre(Kind::reapplied));
  }
  someone_writes("70\n");
  EXPECT_THAT(look(), ElementsAre(Kind::gave_up));
  EXPECT_EQ(weight(), "70\n");
  hold();
  EXPECT_THAT(look(), IsEmpty());
}

TEST_F(WatchTest, AContainerThatWasRecreatedIsAnotherOne) {
  hold();
  look();
  fs_.remove("web");
  EXPECT_THAT(look(), ElementsAre(Kind::ended));
  fs_.add("web");
  hold();
  EXPECT_THAT(look(), ElementsAre(Kind::taken_up, Kind::reapplied));
  EXPECT_EQ(weight(), "50\n");
}

TEST_F(WatchTest, WhatCannotBeHeldIsToldOnceAndTriedAgain) {
  fs_.set("web", "memory.current", "1048576\n");
  watch_.hold({.name = "web", .cgroup = "/web"}, {cgroup::parse_setting("memory.max=512K").value()});
  EXPECT_THAT(look(), ElementsAre(Kind::taken_up, Kind::not_held));
  EXPECT_THAT(look(), IsEmpty());
  fs_.set("web", "memory.current", "4096\n");
  EXPECT_THAT(look(), ElementsAre(Kind::reapplied));
  EXPECT_EQ(fs_.get("web", "memory.max"), "524288\n");
}

}  // namespace
}  // namespace weir::limits
