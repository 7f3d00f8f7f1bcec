// SPDX-License-Identifier: MIT
// set and undo together, on the fake cgroupfs with a real journal.
#include "weir/limits/undo.h"

#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "weir/base/file.h"
#include "weir/limits/recent.h"
#include "weir/limits/writer.h"

namespace weir::limits {
namespace {

using testing::FakeCgroupfs;
using testing::Succeeds;
using Names = std::vector<std::string>;

constexpr const char* kBoot = "boot-1";

class UndoTest : public ::testing::Test {
 protected:
  std::vector<Outcome> set(const Names& cgroups, const Names& settings, Force force = Force::no) {
    Request request{.targets = {}, .guarded = {}, .force = force};
    for (const std::string& name : cgroups) {
      request.targets.push_back(
          {.target = name, .container = {.name = name, .cgroup = "/" + name}, .settings = {}});
      for (const std::string& setting : settings)
        request.targets.back().settings.push_back(cgroup::parse_setting(setting).value());
    }
    Plan plan = make_plan(*fs_.root(), request).value();
    Journal journal = open();
    clock_.tick(std::chrono::seconds(1));
    EXPECT_THAT(
        apply(plan, journal, clock_, {.who = {}, .reason = {}, .restore_after = {}, .arrange_restore = {}}),
        Succeeds());
    return plan.outcomes();
  }
  Status set_one(const std::string& cgroup, const std::string& setting) {
    return set({cgroup}, {setting}).at(0).status;
  }

  std::vector<Outcome> undo_with(const Selection& selection, Force force = Force::no) {
    Journal journal = open();
    UndoResult result = undo(*fs_.root(), journal.read().value(), &journal,
                             {.selection = selection, .force = force, .by = {}});
    EXPECT_FALSE(result.trouble);
    return std::move(result.outcomes);
  }
  std::vector<Outcome> undo_last(Force force = Force::no) {
    return undo_with({.kind = Selection::Kind::last}, force);
  }
  std::vector<Outcome> undo_all(Force force = Force::no) {
    return undo_with({.kind = Selection::Kind::all}, force);
  }
  std::vector<Outcome> undo_epoch(std::uint64_t epoch) {
    const History history = open().read().value();
    for (const Change& change : history.changes) {
      if (change.id.epoch == epoch)
        return undo_with({.kind = Selection::Kind::epoch, .epoch = epoch, .time = change.time});
    }
    return {};
  }

  [[nodiscard]] Journal open() const { return std::move(Journal::open(dir_.path("run"), kBoot).value()); }
  [[nodiscard]] std::string file() const { return dir_.path("run/limits.journal"); }
  [[nodiscard]] std::string get(const char* cgroup, const char* knob) const { return fs_.get(cgroup, knob); }

  testing::TempDir dir_;
  ManualClock clock_;
  FakeCgroupfs fs_{std::map<std::string, FakeCgroupfs::Files>{{"web", {}}, {"db", {}}}};
};

TEST_F(UndoTest, TakesBackTheLastSetAndThenTheOneBefore) {
  EXPECT_EQ(set_one("web", "cpu.weight=200"), Status::changed);
  EXPECT_EQ(set_one("web", "cpu.weight=300"), Status::changed);
  EXPECT_EQ(undo_last().at(0).status, Status::changed);
  EXPECT_EQ(get("web", "cpu.weight"), "200\n");
  EXPECT_EQ(undo_last().at(0).status, Status::changed);
  EXPECT_EQ(get("web", "cpu.weight"), "100\n");
  EXPECT_TRUE(undo_last().empty());
}

TEST_F(UndoTest, AllGoesBackToTheFirstValueInOneStep) {
  set({"web", "db"}, {"cpu.weight=200", "memory.max=512M"});
  set({"web"}, {"cpu.weight=300"});
  EXPECT_EQ(undo_all().size(), 4U);
  for (const char* name : {"web", "db"}) {
    EXPECT_EQ(get(name, "cpu.weight"), "100\n");
    EXPECT_EQ(get(name, "memory.max"), "max\n");
  }
  EXPECT_TRUE(undo_all().empty());
}

TEST_F(UndoTest, NeverWritesTheSameValueAgain) {
  set_one("web", "cpus=1");
  fs_.before_write([](auto, auto, auto) { FAIL(); });
  EXPECT_EQ(set_one("web", "cpus=1"), Status::unchanged);
  fs_.before_write({});
  fs_.set("web", "cpu.max", "max 100000\n");
  fs_.before_write([](auto, auto, auto) { FAIL(); });
  EXPECT_EQ(undo_last().at(0).status, Status::unchanged);
}

TEST_F(UndoTest, LeavesAloneWhatSomeoneElseChangedUnlessForced) {
  set_one("web", "cpu.weight=200");
  fs_.set("web", "cpu.weight", "77\n");
  const Outcome outcome = undo_last().at(0);
  EXPECT_EQ(outcome.status, Status::refused);
  EXPECT_NE(outcome.error->message().find("changed since: now 77"), std::string::npos)
      << outcome.error->message();
  EXPECT_EQ(get("web", "cpu.weight"), "77\n");
  EXPECT_EQ(undo_last(Force::yes).at(0).status, Status::changed);
  EXPECT_EQ(get("web", "cpu.weight"), "100\n");
}

TEST_F(UndoTest, ARecreatedContainerIsAnotherTarget) {
  set_one("web", "cpu.weight=200");
  fs_.remove("web");
  fs_.add("web");
  fs_.set("web", "cpu.weight", "200\n");
  EXPECT_EQ(undo_all().at(0).status, Status::gone);
  EXPECT_EQ(get("web", "cpu.weight"), "200\n");
  EXPECT_TRUE(undo_all().empty());
}

TEST_F(UndoTest, AGoneContainerDoesNotStandInTheWayOfTheOthers) {
  set_one("db", "cpu.weight=300");
  set({"web", "db"}, {"cpu.weight=200"});
  fs_.remove("web");
  undo_last();
  EXPECT_EQ(get("db", "cpu.weight"), "300\n");
  undo_last();
  EXPECT_EQ(get("db", "cpu.weight"), "100\n");
}

TEST_F(UndoTest, DoesNotCutBelowUseWithoutForce) {
  fs_.set("web", "memory.max", "104857600\n");
  set_one("web", "memory.max=1G");
  fs_.set("web", "memory.current", "209715200\n");
  fs_.set("web", "memory.stat", "anon 209715200\n");
  EXPECT_EQ(undo_last().at(0).status, Status::refused);
  EXPECT_EQ(undo_last(Force::yes).at(0).status, Status::changed);
}

TEST_F(UndoTest, TakesAChangeOutFromUnderALaterOne) {
  set_one("web", "cpu.weight=200");
  set_one("web", "cpu.weight=300");
  EXPECT_EQ(undo_epoch(1).at(0).status, Status::unchanged);
  EXPECT_EQ(get("web", "cpu.weight"), "300\n");
  EXPECT_EQ(undo_epoch(2).at(0).status, Status::changed);
  EXPECT_EQ(get("web", "cpu.weight"), "100\n");
}

TEST_F(UndoTest, AnEpochOfAnotherJournalIsNotTaken) {
  set_one("web", "cpu.weight=200");
  EXPECT_TRUE(
      undo_with({.kind = Selection::Kind::epoch, .epoch = 1, .time = std::chrono::nanoseconds(1)}).empty());
  EXPECT_EQ(get("web", "cpu.weight"), "200\n");
}

TEST_F(UndoTest, RestoresQuotaAndBurstInTheOrderThatTheKernelNeeds) {
  fs_.set("web", "cpu.max", "50000 100000\n");
  fs_.set("web", "cpu.max.burst", "40000\n");
  for (const Names& settings :
       {Names{"cpu.max=20000", "cpu.max.burst=10000"}, Names{"cpu.max=90000", "cpu.max.burst=90000"}}) {
    for (const Outcome& outcome : set({"web"}, settings)) EXPECT_EQ(outcome.status, Status::changed);
    for (const Outcome& outcome : undo_last()) EXPECT_EQ(outcome.status, Status::changed);
    EXPECT_EQ(get("web", "cpu.max"), "50000 100000\n");
    EXPECT_EQ(get("web", "cpu.max.burst"), "40000\n");
  }
}

TEST_F(UndoTest, BringsTheWeightBackThatGoingIdleForgot) {
  fs_.set("web", "cpu.weight", "300\n");
  set({"web"}, {"cpu.idle=1"});
  undo_last();
  EXPECT_EQ(get("web", "cpu.idle"), "0\n");
  EXPECT_EQ(get("web", "cpu.weight"), "300\n");
}

TEST_F(UndoTest, AContainerThatEndsAtAnyStepIsToldAndTheOthersGoOn) {
  for (int step = 0; step < 4; ++step) {
    fs_.add("ends");
    int seen = 0;
    fs_.before_write([&](std::string_view, std::string_view, std::string_view) {
      if (seen++ == step) fs_.remove("ends");
    });
    const auto outcomes =
        set({"ends", "web"}, {"cpu.weight=" + std::to_string(200 + step), "memory.max=512M"});
    fs_.before_write({});
    for (const Outcome& outcome : outcomes) {
      if (outcome.change.name == "web") EXPECT_EQ(outcome.status, Status::changed);
    }
    if (step < 3)
      EXPECT_TRUE(std::ranges::any_of(outcomes, [](const Outcome& o) { return o.status == Status::gone; }));
    undo_all();
    EXPECT_EQ(get("web", "cpu.weight"), "100\n");
  }
}

TEST_F(UndoTest, AReadOnlyCgroupfsChangesNothing) {
  fs_.fail_writes("web", "cpu.weight", EROFS);
  const auto outcomes = set({"web"}, {"cpu.weight=200"});
  ASSERT_TRUE(outcomes[0].error);
  EXPECT_TRUE(outcomes[0].status == Status::refused || outcomes[0].status == Status::failed);
  EXPECT_EQ(get("web", "cpu.weight"), "100\n");
  EXPECT_TRUE(undo_all().empty());
}

TEST_F(UndoTest, AChangeThatFailedLeavesNothingToTakeBack) {
  fs_.fail_writes("db", "cpu.weight", EINVAL);
  const auto outcomes = set({"web", "db"}, {"cpu.weight=200"});
  EXPECT_EQ(outcomes[0].status, Status::rolled_back);
  EXPECT_EQ(outcomes[1].status, Status::failed);
  EXPECT_TRUE(undo_all().empty());
}

TEST_F(UndoTest, AJournalThatCannotBeWrittenStopsTheWrite) {
  Request request{.targets = {{.target = "web",
                               .container = {.name = "web", .cgroup = "/web"},
                               .settings = {cgroup::parse_setting("cpus=1").value()}}}};
  Plan plan = make_plan(*fs_.root(), request).value();
  // A cap below one record stands for the full disk.
  Journal journal = std::move(Journal::open(dir_.path("run"), kBoot, {.cap = 10}).value());
  ASSERT_THAT(apply(plan, journal, clock_, {}), Succeeds());
  EXPECT_EQ(plan.outcomes()[0].status, Status::failed);
  EXPECT_EQ(get("web", "cpu.max"), "max 100000\n");
}

TEST_F(UndoTest, NothingIsWrittenWhenTheRestoreCannotBeArranged) {
  Request request{.targets = {{.target = "web",
                               .container = {.name = "web", .cgroup = "/web"},
                               .settings = {cgroup::parse_setting("cpus=1").value()}}}};
  Plan plan = make_plan(*fs_.root(), request).value();
  Journal journal = open();
  const auto no = [](const Change&) -> Result<void> {
    return std::unexpected(make_error(ErrorKind::failed, "timer", "no"));
  };
  EXPECT_FALSE(
      apply(plan, journal, clock_,
            {.who = {}, .reason = {}, .restore_after = std::chrono::seconds(1), .arrange_restore = no}));
  EXPECT_EQ(get("web", "cpu.max"), "max 100000\n");
  EXPECT_TRUE(journal.read()->changes.empty());
}

/// The whole model of a crash: the journal ends at any byte, and the kernel holds what had been written by
/// then.
TEST_F(UndoTest, UndoAllRestoresTheFirstValueAfterAKillAtEveryByteOfTheJournal) {
  struct Moment {
    std::size_t journal;  // its size when this was written
    std::string cgroup, value;
  };
  std::vector<Moment> writes;
  fs_.before_write([&](std::string_view path, std::string_view, std::string_view text) {
    writes.push_back({std::filesystem::file_size(file()),
                      std::string(path.substr(path.find_first_not_of('/'))), std::string(text)});
  });
  set({"web", "db"}, {"cpu.weight=200"});
  set({"web"}, {"cpu.weight=300"});
  undo_last();
  set({"db"}, {"cpu.weight=50"});
  fs_.before_write({});
  const std::string whole = *read_file(file());
  ASSERT_EQ(writes.size(), 5U);

  for (std::size_t length = 0; length <= whole.size(); ++length) {
    for (const char* name : {"web", "db"}) fs_.set(name, "cpu.weight", "100\n");
    for (const Moment& write : writes) {
      if (write.journal < length) fs_.set(write.cgroup, "cpu.weight", write.value + "\n");
    }
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << whole.substr(0, length);
    undo_all();
    for (const char* name : {"web", "db"})
      ASSERT_EQ(get(name, "cpu.weight"), "100\n") << name << " cut at " << length;
  }
}

/// Killed between the kernel's write and the next record: the journal is whole, the kernel one step ahead or
/// not.
TEST_F(UndoTest, UndoAllRestoresTheFirstValueAfterAKillAroundEveryWrite) {
  std::vector<std::string> journals;
  std::vector<std::string> values;
  fs_.before_write([&](std::string_view, std::string_view, std::string_view text) {
    journals.push_back(*read_file(file()));
    values.emplace_back(text);
  });
  set_one("web", "cpu.weight=200");
  set_one("web", "cpu.weight=300");
  undo_last();
  undo_last();
  fs_.before_write({});
  std::string held = "100";
  for (std::size_t n = 0; n < journals.size(); ++n) {
    for (const std::string& kernel : {held, values[n]}) {
      std::ofstream(file(), std::ios::binary | std::ios::trunc) << journals[n];
      fs_.set("web", "cpu.weight", kernel + "\n");
      undo_all();
      EXPECT_EQ(get("web", "cpu.weight"), "100\n") << n << " holding " << kernel;
      undo_all();
    }
    held = values[n];
  }
}

TEST_F(UndoTest, ListsEachChangeWithItsStanding) {
  set_one("web", "cpu.weight=200");
  set_one("web", "cpu.weight=300");
  set_one("db", "cpu.weight=300");
  fs_.set("db", "cpu.weight", "5\n");
  set_one("db", "pids.max=9");
  undo_last();
  const auto listed = list_changes(fs_.root().get(), open().read().value());
  ASSERT_EQ(listed.size(), 4U);
  EXPECT_EQ(listed[0].standing, Standing::superseded);
  EXPECT_EQ(listed[1].standing, Standing::in_force);
  EXPECT_EQ(listed[2].standing, Standing::changed);
  EXPECT_EQ(listed[2].now, "5");
  EXPECT_EQ(listed[3].standing, Standing::undone);
}

TEST_F(UndoTest, WhatSomeoneElseSetWhileLimitsMovedComesBack) {
  for (const char* const setting : {"cpu.weight=200", "cpu.weight=300"}) set_one("web", setting);
  fs_.set("web", "cpu.weight", "50\n");
  set_one("web", "cpu.weight=400");
  const auto outcomes = undo_with({.kind = Selection::Kind::reason, .reason = ""});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].status, Status::changed);
  EXPECT_EQ(get("web", "cpu.weight"), "50\n");
  EXPECT_TRUE(undo_all().empty());
}

TEST_F(UndoTest, ARunThatChangedAKnobManyTimesGoesBackToWhereItBegan) {
  {
    Journal journal = open();
    const CgroupId id = fs_.dir("web")->id();
    std::string before = "100";
    for (std::uint32_t n = 0; n < 3; ++n) {
      const std::string after = std::to_string(200 + n);
      ASSERT_THAT(journal.append({.id = {.epoch = 1, .index = n},
                                  .phase = Phase::intent,
                                  .target = "web",
                                  .cgroup = "/web",
                                  .cgroup_id = id,
                                  .before = {cgroup::Knob::cpu_weight, "", before},
                                  .after = {cgroup::Knob::cpu_weight, "", after}}),
                  Succeeds());
      before = after;
    }
  }
  fs_.set("web", "cpu.weight", "201\n");  // killed before the last write
  const auto outcomes = undo_with({.kind = Selection::Kind::last});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes.front().status, Status::changed);
  EXPECT_EQ(fs_.get("web", "cpu.weight"), "100\n");
  EXPECT_TRUE(undo_with({.kind = Selection::Kind::last}).empty());
}

}  // namespace
}  // namespace weir::limits
