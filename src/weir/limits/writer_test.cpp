// SPDX-License-Identifier: MIT
// What becomes of a change at its write: containers that end just then, and kernels that say no.
#include "weir/limits/writer.h"

#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/temp_dir.h"
#include <cerrno>

namespace weir::limits {
namespace {

using ::testing::ElementsAre;
using testing::FakeCgroupfs;

class WriterTest : public ::testing::Test {
 protected:
  std::vector<Outcome> set(const std::vector<std::string>& cgroups, const char* setting) {
    Request request{.targets = {}, .guarded = {}};
    for (const std::string& name : cgroups)
      request.targets.push_back({.target = name,
                                 .container = {.name = name, .cgroup = "/" + name},
                                 .settings = {cgroup::parse_setting(setting).value()}});
    Plan plan = make_plan(*fs_.root(), request).value();
    EXPECT_TRUE(apply(plan, journal_, clock_, {}).has_value());
    return plan.outcomes();
  }
  static std::vector<Status> fates(const std::vector<Outcome>& outcomes) {
    std::vector<Status> all;
    for (const Outcome& outcome : outcomes) all.push_back(outcome.status);
    return all;
  }
  /// The container ends while its `file` is being written.
  void ends_at_write_of(const std::string& name) {
    fs_.before_write([this, name](std::string_view path, std::string_view, std::string_view) {
      if (path.ends_with(name)) fs_.remove(name);
    });
  }

  testing::TempDir run_;
  FakeCgroupfs fs_{{"web", {}}, {"db", {}}, {"jobs", {}}};
  SystemClock clock_;
  Journal journal_ = Journal::open(run_.path(), "boot-1").value();
};

TEST_F(WriterTest, AContainerThatEndsAtItsWriteIsGoneAndTheOthersAreSet) {
  ends_at_write_of("db");
  EXPECT_THAT(fates(set({"web", "db", "jobs"}, "cpus=1.5")),
              ElementsAre(Status::changed, Status::gone, Status::changed));
  EXPECT_EQ(fs_.get("web", "cpu.max"), "150000 100000\n");
  EXPECT_EQ(fs_.get("jobs", "cpu.max"), "150000 100000\n");
}

TEST_F(WriterTest, OneThatEndedIsNotInForceInTheJournal) {
  ends_at_write_of("db");
  set({"db"}, "cpus=1.5");
  const History history = journal_.read().value();
  ASSERT_EQ(history.changes.size(), 1U);
  EXPECT_EQ(history.changes.front().phase, Phase::gone);
}

TEST_F(WriterTest, ARefusedWriteTakesTheOthersBack) {
  fs_.fail_writes("db", "cpu.max", EINVAL);
  const std::vector<Outcome> outcomes = set({"web", "db", "jobs"}, "cpus=1.5");
  EXPECT_THAT(fates(outcomes), ElementsAre(Status::rolled_back, Status::failed, Status::refused));
  ASSERT_TRUE(outcomes[1].error);
  for (const char* name : {"web", "db", "jobs"}) EXPECT_EQ(fs_.get(name, "cpu.max"), "max 100000\n") << name;
  for (const Change& change : journal_.read().value().changes) EXPECT_FALSE(in_force(change)) << change.name;
}

TEST_F(WriterTest, WhatSomeoneElseWroteSinceIsNotTakenBack) {
  fs_.fail_writes("db", "cpu.max", EINVAL);
  fs_.before_write([this](std::string_view path, std::string_view, std::string_view) {
    if (path.ends_with("db")) fs_.set("web", "cpu.max", "70000 100000\n");
  });
  const std::vector<Outcome> outcomes = set({"web", "db"}, "cpus=1.5");
  EXPECT_THAT(fates(outcomes), ElementsAre(Status::failed, Status::failed));
  EXPECT_EQ(fs_.get("web", "cpu.max"), "70000 100000\n");
}

TEST_F(WriterTest, AMemoryLimitIsNotTakenBackBelowWhatIsInUseByNow) {
  fs_.set("web", "memory.max", "67108864\n");
  fs_.fail_writes("db", "memory.max", EINVAL);
  fs_.set("db", "memory.max", "67108864\n");
  fs_.before_write([this](std::string_view path, std::string_view, std::string_view) {
    if (path.ends_with("db")) fs_.set("web", "memory.current", "100000000\n");
  });
  const std::vector<Outcome> outcomes = set({"web", "db"}, "memory=128M");
  EXPECT_THAT(fates(outcomes), ElementsAre(Status::failed, Status::failed));
  EXPECT_EQ(fs_.get("web", "memory.max"), "134217728\n");
  EXPECT_TRUE(in_force(journal_.read().value().changes.front())) << "so that undo can try again";
}

}  // namespace
}  // namespace weir::limits
