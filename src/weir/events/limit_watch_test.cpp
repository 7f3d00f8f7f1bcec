// SPDX-License-Identifier: MIT
// On the fake cgroupfs, without BPF: what is found by looking again, and what the journal knows of it.
#include "weir/events/limit_watch.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/temp_dir.h"

#include "weir/events/event_json.h"
#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::events {
namespace {

using testing::FakeCgroupfs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LimitWatchTest : public ::testing::Test {
 protected:
  LimitWatchTest() {
    paths_.run_dir = run_.path();
    watch_.add({.container = {.name = "web", .cgroup = "/web"}, .cgroup_id = fs_.dir("web")->id()});
  }
  std::vector<std::string> changes() {
    std::vector<std::string> lines;
    watch_.look_again();
    for (const Event& event : watch_.take()) lines.push_back(event_json(event));
    return lines;
  }
  testing::TempDir run_;
  HostPaths paths_;
  FakeCgroupfs fs_{{"web", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  ManualClock clock_;
  LimitWatch watch_{
      {.root = *root_, .paths = paths_, .clock = clock_, .knobs = nullptr, .boot_id = "boot-1"}};
};

TEST_F(LimitWatchTest, TellsOldAndNewOnce) {
  EXPECT_THAT(changes(), IsEmpty());
  fs_.set("web", "cpu.max", "50000 100000\n");
  const auto lines = changes();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], HasSubstr(R"("knob":"cpu.max","old":"max 100000","new":"50000 100000")"));
  EXPECT_THAT(lines[0], Not(HasSubstr("by_weir")));
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(LimitWatchTest, WhatIsTakenBackBeforeItIsToldIsNoChange) {
  fs_.set("web", "cpu.max", "50000 100000\n");
  watch_.look_again();
  fs_.set("web", "cpu.max", "max 100000\n");
  EXPECT_THAT(watch_.take(), IsEmpty());
}

TEST_F(LimitWatchTest, OneThatEndsBeforeItsChangeIsToldIsPassedOver) {
  fs_.set("web", "cpu.max", "50000 100000\n");
  watch_.look_again();
  watch_.remove(fs_.dir("web")->id());
  EXPECT_THAT(watch_.take(), IsEmpty());
}

TEST_F(LimitWatchTest, TellsDevicesOfIoMaxApart) {
  fs_.set("web", "io.max", "8:0 rbps=max wbps=1000 riops=max wiops=max\n");
  EXPECT_THAT(changes()[0], HasSubstr(R"("device":"8:0","old":"","new":"rbps=max wbps=1000)"));
  fs_.set("web", "io.max", "\n");
  EXPECT_THAT(changes()[0],
              HasSubstr(R"("device":"8:0","old":"rbps=max wbps=1000 riops=max wiops=max","new":"")"));
}

TEST_F(LimitWatchTest, KnowsWhatWeirSetAndTookBack) {
  limits::Journal journal = limits::Journal::open(run_.path(), "boot-1").value();
  const limits::Request request{.targets = {{.target = "web",
                                             .container = {.name = "web", .cgroup = "/web"},
                                             .settings = {cgroup::parse_setting("cpu.weight=50").value()}}},
                                .guarded = {}};
  limits::Plan plan = limits::make_plan(*root_, request).value();
  ASSERT_TRUE(limits::apply(plan, journal, clock_,
                            {.who = {}, .reason = "load test", .arrange_restore = {}, .patience = {}}));
  EXPECT_THAT(changes()[0], HasSubstr(R"("by_weir":"set","reason":"load test")"));
  limits::undo(*root_, journal.read().value(), &journal, {.by = "test"});
  EXPECT_THAT(changes()[0], HasSubstr(R"("by_weir":"undo")"));
}

TEST_F(LimitWatchTest, TheFirstLimitsOfANewContainerAreNoChange) {
  fs_.add("db");
  watch_.add({.container = {.name = "db", .cgroup = "/db"}, .cgroup_id = fs_.dir("db")->id()},
             LimitWatch::Begin::just_started);
  fs_.set("db", "memory.max", "1048576\n");
  EXPECT_THAT(changes(), IsEmpty());
  clock_.tick(std::chrono::seconds(10));
  EXPECT_THAT(changes(), IsEmpty()) << "taken as what it has";
  fs_.set("db", "memory.max", "2097152\n");
  EXPECT_THAT(changes()[0], HasSubstr(R"("old":"1048576","new":"2097152")"));
}

TEST_F(LimitWatchTest, OneThatEndedOrIsAnotherByNowIsPassedOver) {
  watch_.add({.container = {.name = "db", .cgroup = "/db"}, .cgroup_id = CgroupId(5)});
  watch_.add({.container = {.name = "web", .cgroup = "/web"}, .cgroup_id = CgroupId(5)});
  fs_.remove("web");
  EXPECT_THAT(changes(), IsEmpty());
}

}  // namespace
}  // namespace weir::events
