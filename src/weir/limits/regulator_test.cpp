// SPDX-License-Identifier: MIT
// The Regulator on the fake cgroupfs, without BPF, with a clock that stands still unless told.
#include "weir/limits/regulator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/full_disk.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <cerrno>

#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace weir::limits {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeCgroupfs;
using testing::HasError;
using testing::HasValue;
using ::testing::IsEmpty;
using testing::Succeeds;

class RegulatorTest : public ::testing::Test {
 protected:
  RegulatorTest() {
    for (const char* name : {"web", "db", "jobs"}) {
      stat(name, 0, milliseconds(0));
      ids_[name] = regulator_.add({.name = name, .cgroup = std::string("/") + name}).value();
    }
    fs_.before_write([this](std::string_view path, std::string_view, std::string_view text) {
      writes_.push_back(std::string(path.substr(path.rfind('/') + 1)) + " " + std::string(text));
    });
  }
  void stat(const std::string& name, int periods, milliseconds usage) {
    fs_.set(name, "cpu.stat",
            "usage_usec " + std::to_string(microseconds(usage).count()) +
                "\nuser_usec 0\nsystem_usec 0\nnr_periods " + std::to_string(periods) +
                "\nnr_throttled 0\nthrottled_usec 0\n");
  }
  Result<void> ask(const std::string& name, const char* setting, Urgency urgency = Urgency::normal) {
    return regulator_.ask(ids_.at(name), cgroup::parse_setting(setting).value(), urgency);
  }
  std::vector<Written> turn() {
    auto written = regulator_.turn();
    EXPECT_THAT(written, Succeeds());
    return std::move(*written);
  }
  /// web runs under 20 %, watched from the start of its period `periods` on.
  void web_runs_under_a_fifth() {
    EXPECT_THAT(ask("web", "cpu.max=20000"), Succeeds());
    turn();
    writes_.clear();
  }
  void web_at(milliseconds at, int periods, milliseconds usage) {
    clock_.tick(at - clock_.monotonic());
    stat("web", periods, usage);
    turn();
  }

  testing::TempDir run_;
  FakeCgroupfs fs_{{"web", {}}, {"db", {}}, {"jobs", {}}};
  ManualClock clock_;
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  Regulator regulator_{*root_,
                       Journal::open(run_.path(), "boot-1", {.lock_wait = milliseconds(0)}).value(),
                       clock_,
                       {.batch = 2}};
  std::map<std::string, CgroupId> ids_;
  std::vector<std::string> writes_;
  std::function<void()> ask_within_;
};

TEST_F(RegulatorTest, WritesAtOnceWhereThereIsNoLimitYet) {
  EXPECT_THAT(ask("web", "cpu.max=20000"), Succeeds());
  const auto written = turn();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(written.front().outcome.status, Status::changed);
  EXPECT_THAT(writes_, ElementsAre("web 20000 100000"));
}

TEST_F(RegulatorTest, TheLastOfManyRequestsIsTheOneThatIsWritten) {
  for (const char* value : {"cpu.weight=50", "cpu.weight=60", "cpu.weight=70"})
    EXPECT_THAT(ask("web", value), Succeeds());
  const auto written = turn();
  EXPECT_THAT(writes_, ElementsAre("web 70"));
  EXPECT_EQ(written.front().merged, 2U);
}

TEST_F(RegulatorTest, WhatIsWithdrawnIsNotWritten) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  EXPECT_THAT(ask("web", "cpu.max.burst=10"), Succeeds());
  regulator_.withdraw(fs_.dir("web")->id(), cgroup::parse_setting("cpu.weight=1").value());
  EXPECT_EQ(regulator_.pending(), 1U);
  turn();
  EXPECT_THAT(writes_, ElementsAre("web 10"));
}

TEST_F(RegulatorTest, AValueThatTheKernelHoldsIsNotWritten) {
  EXPECT_THAT(ask("web", "cpu.weight=100"), Succeeds());
  const auto written = turn();
  EXPECT_EQ(written.front().outcome.status, Status::unchanged);
  EXPECT_THAT(writes_, IsEmpty());
}

TEST_F(RegulatorTest, WritesABatchATurnAndUrgentOnesAloneAndFirst) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  EXPECT_THAT(ask("db", "cpu.weight=50"), Succeeds());
  EXPECT_THAT(ask("jobs", "cpu.weight=50"), Succeeds());
  EXPECT_THAT(ask("jobs", "cpu.max=50000", Urgency::urgent), Succeeds());
  turn();
  EXPECT_THAT(writes_, ElementsAre("jobs 50000 100000"));
  turn();
  EXPECT_EQ(writes_.size(), 3U);
  turn();
  EXPECT_EQ(writes_.size(), 4U);
  EXPECT_EQ(regulator_.pending(), 0U);
}

TEST_F(RegulatorTest, AnUrgentOneThatComesWithinABatchIsNextAndOvertakes) {
  Regulator regulator(*root_, Journal::open(run_.path(), "boot-1").value(), clock_,
                      {.batch = 8, .between = [&] {
                         if (writes_.size() == 1) ask_within_();
                       }});
  std::vector<CgroupId> ids;
  for (const char* name : {"web", "db", "jobs"}) {
    ids.push_back(regulator.add({.name = name, .cgroup = std::string("/") + name}).value());
    EXPECT_THAT(regulator.ask(ids.back(), cgroup::parse_setting("cpu.weight=50").value()), Succeeds());
  }
  ask_within_ = [&] {
    EXPECT_THAT(regulator.ask(ids[2], cgroup::parse_setting("cpu.weight=70").value(), Urgency::urgent),
                Succeeds());
  };
  EXPECT_THAT(regulator.turn(), Succeeds());
  EXPECT_THAT(writes_, ElementsAre("web 50", "jobs 70", "db 50"));
  EXPECT_EQ(fs_.get("jobs", "cpu.weight"), "70\n");
}

TEST_F(RegulatorTest, WhatAFullDiskKeptFromBeingWrittenIsAskedForAgainAndANewerValueWins) {
  const testing::FullDisk disk;
  Regulator regulator(*root_, Journal::open(run_.path(), "boot-1").value(), clock_,
                      {.batch = 8, .between = [&] {
                         if (writes_.size() == 1) ask_within_();
                       }});
  std::map<std::string, CgroupId> ids;
  const auto ask = [&](const char* name, const char* value, Urgency urgency = Urgency::normal) {
    EXPECT_THAT(regulator.ask(ids.at(name), cgroup::parse_setting(value).value(), urgency), Succeeds());
  };
  for (const char* name : {"web", "db", "jobs"}) {
    ids[name] = regulator.add({.name = name, .cgroup = std::string("/") + name}).value();
    ask(name, "cpu.weight=50");
  }
  ask_within_ = [&] {
    ask("jobs", "cpu.weight=70");
    ask("web", "cpu.weight=80", Urgency::urgent);
    disk.fill(run_.path("limits.journal"));
  };
  const auto first = regulator.turn();
  ASSERT_THAT(first, Succeeds());
  EXPECT_THAT(writes_, ElementsAre("web 50"));
  EXPECT_EQ(regulator.pending(), 3U);
  EXPECT_FALSE(regulator.turn().has_value()) << "it is told as soon as nothing else is";
  disk.free();
  EXPECT_THAT(regulator.turn(), Succeeds());
  EXPECT_THAT(regulator.turn(), Succeeds());
  EXPECT_THAT(writes_, ElementsAre("web 50", "web 80", "db 50", "jobs 70"));
  EXPECT_EQ(regulator.pending(), 0U);
}

TEST_F(RegulatorTest, ACpuMaxWaitsForAPeriodThatItsAllowanceCovers) {
  web_runs_under_a_fifth();
  stat("web", 0, milliseconds(20));
  EXPECT_THAT(ask("web", "cpu.max=19999"), Succeeds());
  EXPECT_TRUE(regulator_.covers_urgent(ids_.at("web")));
  EXPECT_THAT(ask("web", "cpu.max=30000", Urgency::urgent), Succeeds());
  turn();  // what was used of this period is forgiven: all that is allowed at first
  EXPECT_FALSE(regulator_.covers_urgent(ids_.at("web")));
  writes_.clear();
  EXPECT_THAT(ask("web", "cpu.max=25000"), Succeeds());
  web_at(milliseconds(1), 0, milliseconds(21));
  EXPECT_THAT(writes_, IsEmpty());
  web_at(milliseconds(2), 1, milliseconds(53));  // a period began, and 3 ms would be forgiven
  EXPECT_THAT(writes_, IsEmpty());
  web_at(milliseconds(101), 1, milliseconds(80));
  web_at(milliseconds(102), 2, milliseconds(80));  // a period began, and nothing is owed
  EXPECT_THAT(writes_, ElementsAre("web 25000 100000"));
  EXPECT_EQ(regulator_.granted(ids_.at("web")), milliseconds(20));
}

TEST_F(RegulatorTest, AnUrgentCpuMaxIsWrittenAtOnceAndBooked) {
  web_runs_under_a_fifth();
  stat("web", 0, milliseconds(20));
  EXPECT_THAT(ask("web", "cpu.max=30000", Urgency::urgent), Succeeds());
  turn();
  EXPECT_THAT(writes_, ElementsAre("web 30000 100000"));
  EXPECT_EQ(regulator_.granted(ids_.at("web")), milliseconds(20));
}

TEST_F(RegulatorTest, ABurstIsBookedAsALimitIs) {
  web_runs_under_a_fifth();
  stat("web", 0, milliseconds(20));
  EXPECT_THAT(ask("web", "cpu.max.burst=5000"), Succeeds());
  turn();
  EXPECT_THAT(writes_, ElementsAre("web 5000"));
  EXPECT_EQ(regulator_.granted(ids_.at("web")), milliseconds(20));
}

TEST_F(RegulatorTest, AContainerInWhichNothingRunsDoesNotWait) {
  web_runs_under_a_fifth();
  clock_.tick(milliseconds(200));  // two periods without a start
  EXPECT_THAT(ask("web", "cpu.max=30000"), Succeeds());
  turn();
  EXPECT_THAT(writes_, ElementsAre("web 30000 100000"));
}

TEST_F(RegulatorTest, WhereWritesOfOthersAreSeenAValueIsReadAgainOnlyAfterOne) {
  std::map<std::uint64_t, int> watched;
  Regulator regulator(*root_, Journal::open(run_.path(), "boot-1").value(), clock_,
                      {.watch = [&](std::uint64_t file) -> Result<void> {
                         ++watched[file];
                         return {};
                       },
                       .ignore = [&](std::uint64_t file) { --watched[file]; }});
  const CgroupId web = regulator.add({.name = "web", .cgroup = "/web"}).value();
  const auto found_before = [&](const char* value) {
    EXPECT_THAT(regulator.ask(web, cgroup::parse_setting(value).value()), Succeeds());
    return regulator.turn().value().front().outcome.change.before.text;
  };
  EXPECT_EQ(found_before("pids.max=10"), "max");
  EXPECT_EQ(watched,
            (std::map<std::uint64_t, int>{{root_->open("web").value()->file_id("pids.max").value(), 1}}));
  fs_.set("web", "pids.max", "70\n");
  EXPECT_EQ(found_before("pids.max=20"), "10") << "nobody said that it changed";
  fs_.set("web", "pids.max", "70\n");
  regulator.touched(watched.begin()->first);
  EXPECT_EQ(found_before("pids.max=30"), "70");
  fs_.set("web", "pids.max", "70\n");
  regulator.touched_all();
  EXPECT_EQ(found_before("pids.max=30"), "70");
  // cpu.idle changes it too, so that its own file does not tell all.
  EXPECT_EQ(found_before("cpu.weight=50"), "100");
  fs_.set("web", "cpu.weight", "70\n");
  EXPECT_EQ(found_before("cpu.weight=60"), "70");
  regulator.remove(web);
  EXPECT_EQ(watched.begin()->second, 0);
}

TEST_F(RegulatorTest, WhatItWroteCanBeUndone) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  turn();
  EXPECT_THAT(ask("web", "cpu.weight=60"), Succeeds());
  turn();
  Journal journal = Journal::open(run_.path(), "boot-1", {.lock_wait = milliseconds(0)}).value();
  undo(*root_, journal.read().value(), &journal, {.selection = {}, .by = "test"});
  EXPECT_EQ(fs_.get("web", "cpu.weight"), "100\n");
}

TEST_F(RegulatorTest, AfterSomeoneElsesChangeItsOwnStandOnTheirs) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  turn();
  {
    Journal journal = Journal::open(run_.path(), "boot-1").value();
    const Request request{.targets = {{.target = "web",
                                       .container = {.name = "web", .cgroup = "/web"},
                                       .settings = {cgroup::parse_setting("cpu.weight=70").value()}}},
                          .guarded = {}};
    Plan plan = make_plan(*root_, request).value();
    ASSERT_THAT(apply(plan, journal, clock_, {}), Succeeds());
  }
  EXPECT_THAT(ask("web", "cpu.weight=60"), Succeeds());
  EXPECT_EQ(turn().front().outcome.change.before.text, "70");
  Journal journal = Journal::open(run_.path(), "boot-1").value();
  undo(*root_, journal.read().value(), &journal, {.selection = {}, .by = "test"});
  EXPECT_EQ(fs_.get("web", "cpu.weight"), "70\n");
}

TEST_F(RegulatorTest, AContainerThatEndedIsToldAndCostsTheOthersNothing) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  EXPECT_THAT(ask("db", "cpu.weight=50"), Succeeds());
  fs_.remove("web");
  const auto written = turn();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].outcome.status, Status::gone);
  EXPECT_EQ(written[1].outcome.status, Status::changed);
}

TEST_F(RegulatorTest, RefusesWhatWouldReclaimAndWhoIsNotInItsCare) {
  fs_.set("web", "memory.current", "1048576\n");
  EXPECT_THAT(ask("web", "memory.max=512K"), HasError(ErrorKind::refused));
  EXPECT_THAT(regulator_.ask(CgroupId(12345), {}), HasError(ErrorKind::invalid));
  regulator_.remove(ids_.at("web"));
  EXPECT_THAT(ask("web", "cpu.weight=50"), HasError(ErrorKind::invalid));
}

TEST_F(RegulatorTest, LetsMemoryHighReclaimALittleOfWhatCanBe) {
  fs_.set("web", "memory.current", fmt::format("{}\n", 400 << 20));
  EXPECT_THAT(ask("web", "memory.high=150M"), Succeeds());
  EXPECT_THAT(ask("web", "memory.high=140M"), HasError(ErrorKind::refused));
  fs_.set("web", "memory.stat", fmt::format("anon {}\nfile 0\n", 200 << 20));
  EXPECT_THAT(ask("web", "memory.high=150M"), HasError(ErrorKind::refused));
}

TEST_F(RegulatorTest, AJournalThatCannotBeWrittenStopsTheWriteAndKeepsTheRequest) {
  EXPECT_THAT(ask("web", "cpu.weight=50"), Succeeds());
  const Journal other = Journal::open(run_.path(), "boot-1").value();
  EXPECT_FALSE(regulator_.turn().has_value());
  EXPECT_EQ(regulator_.pending(), 1U);
  EXPECT_THAT(writes_, IsEmpty());
}

}  // namespace
}  // namespace weir::limits
