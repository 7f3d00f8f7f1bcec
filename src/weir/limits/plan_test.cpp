// SPDX-License-Identifier: MIT
#include "weir/limits/plan.h"

#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include <cerrno>

namespace weir::limits {
namespace {

using Cgroups = std::map<std::string, testing::FakeCgroupfs::Files>;
using testing::FakeCgroupfs;
using testing::HasError;

Request request(std::initializer_list<const char*> cgroups, std::initializer_list<const char*> settings,
                Force force = Force::no) {
  Request wanted{.targets = {}, .guarded = {}, .force = force};
  for (const char* cgroup : cgroups) {
    wanted.targets.push_back({.target = cgroup,
                              .container = {.name = cgroup, .cgroup = std::string("/") + cgroup},
                              .settings = {}});
    for (const char* setting : settings)
      wanted.targets.back().settings.push_back(cgroup::parse_setting(setting).value());
  }
  return wanted;
}

std::vector<Outcome> outcomes(const FakeCgroupfs& fs, const Request& wanted) {
  const auto plan = make_plan(*fs.root(), wanted);
  EXPECT_TRUE(plan.has_value());
  return plan->outcomes();
}

Outcome only(const FakeCgroupfs& fs, const Request& wanted) {
  const auto all = outcomes(fs, wanted);
  EXPECT_EQ(all.size(), 1U);
  return all.at(0);
}

TEST(Plan, ShowsOldAndNewAndWritesNothing) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  fs.before_write([](auto, auto, auto) { FAIL(); });
  const Outcome outcome = only(fs, request({"web"}, {"cpus=1.5"}));
  EXPECT_EQ(outcome.status, Status::dry_run);
  EXPECT_EQ(outcome.change.before.text, "max 100000");
  EXPECT_EQ(outcome.change.after.text, "150000 100000");
}

TEST(Plan, ElidesTheSameValue) {
  FakeCgroupfs fs(Cgroups{{"web", {{"cpu.max", "100000 100000\n"}}}});
  EXPECT_EQ(only(fs, request({"web"}, {"cpus=1"})).status, Status::unchanged);
}

TEST(Plan, TellsAnEndedContainerFromAMissingController) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  fs.take_file("web", "cpu.max");
  fs.set("web", "cgroup.controllers", "memory pids\n");
  const Outcome off = only(fs, request({"web"}, {"cpus=1"}));
  ASSERT_TRUE(off.error);
  EXPECT_EQ(off.error->kind, ErrorKind::absent);
  EXPECT_NE(off.error->message().find("controller is off"), std::string::npos) << off.error->message();
  EXPECT_EQ(only(fs, request({"db"}, {"cpus=1"})).status, Status::gone);
}

TEST(Plan, RefusesToCutBelowUseWithoutForce) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  fs.set("web", "memory.current", "104857600\n");
  fs.set("web", "memory.stat", "anon 94371840\n");
  fs.set("web", "pids.current", "20\n");
  for (const char* setting : {"memory.max=50M", "memory.max=95M", "memory.high=89M", "pids.max=19"}) {
    EXPECT_EQ(only(fs, request({"web"}, {setting})).status, Status::refused) << setting;
    EXPECT_EQ(only(fs, request({"web"}, {setting}, Force::yes)).status, Status::dry_run) << setting;
  }
  for (const char* setting : {"memory.max=100M", "memory.high=101M", "pids.max=20", "memory.min=1M"})
    EXPECT_EQ(only(fs, request({"web"}, {setting})).status, Status::dry_run) << setting;
}

TEST(Plan, SaysWhatWillBeShrunkFirst) {
  FakeCgroupfs fs(Cgroups{{"web", {{"memory.current", "104857600\n"}, {"memory.peak", "104857600\n"}}}});
  fs.set("web", "memory.stat", "anon 10485760\n");
  for (const char* setting : {"memory.max=50M", "memory.max=105M", "memory.high=99M"}) {
    const Outcome outcome = only(fs, request({"web"}, {setting}));
    ASSERT_TRUE(outcome.shrink) << setting;
    EXPECT_EQ(outcome.shrink->use, Bytes(100 * kMiB));
    EXPECT_EQ(outcome.shrink->need, Bytes(10 * kMiB));
    EXPECT_FALSE(only(fs, request({"web"}, {setting}, Force::yes)).shrink) << setting;
  }
  for (const char* setting : {"memory.max=200M", "memory.high=101M", "memory.low=50M"})
    EXPECT_FALSE(only(fs, request({"web"}, {setting})).shrink) << setting;
}

TEST(Plan, RefusesTheGuardedWithoutForce) {
  FakeCgroupfs fs(Cgroups{{"system.slice/ssh.service", {}}});
  for (const char* path : {"system.slice/ssh.service", "system.slice"}) {
    EXPECT_EQ(only(fs, request({path}, {"cpus=1"})).status, Status::refused) << path;
    EXPECT_EQ(only(fs, request({path}, {"cpus=1"}, Force::yes)).status, Status::dry_run) << path;
  }
  EXPECT_EQ(only(fs, request({""}, {"cpus=1"})).status, Status::refused);
  EXPECT_EQ(only(fs, request({""}, {"cpus=1"}, Force::yes)).status, Status::refused);
}

TEST(Plan, OneRefusalMakesTheWholeImpossible) {
  FakeCgroupfs fs(Cgroups{{"web", {}}, {"db", {}}});
  fs.set("db", "memory.current", "104857600\n");
  fs.set("db", "memory.stat", "anon 104857600\n");
  EXPECT_FALSE(make_plan(*fs.root(), request({"web", "db"}, {"memory=50M"}))->possible());
  EXPECT_TRUE(make_plan(*fs.root(), request({"web", "ended"}, {"memory=50M"}))->possible());
}

TEST(Plan, TheSameContainerTwiceIsOne) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  EXPECT_EQ(outcomes(fs, request({"web", "web"}, {"cpus=1"})).size(), 1U);
}

TEST(Plan, ContradictionsAreInvalid) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  EXPECT_THAT(make_plan(*fs.root(), request({"web"}, {"cpus=1", "cpu.max=max"})),
              HasError(ErrorKind::invalid));
  EXPECT_THAT(make_plan(*fs.root(), request({"web"}, {"cpu.idle=1", "cpu.weight=5"})),
              HasError(ErrorKind::invalid));
  EXPECT_FALSE(make_plan(*fs.root(), request({"web"}, {"io.max=8:0:wbps=1M", "io.max=8:16:wbps=1M"}))
                   .value()
                   .outcomes()
                   .empty());
}

TEST(Plan, OrdersQuotaAndBurstAsTheKernelNeedsThem) {
  FakeCgroupfs fs(Cgroups{{"web", {{"cpu.max", "50000 100000\n"}, {"cpu.max.burst", "50000\n"}}}});
  const auto raise = outcomes(fs, request({"web"}, {"cpu.max.burst=80000", "cpu.max=80000"}));
  EXPECT_EQ(raise[0].change.after.knob, cgroup::Knob::cpu_max);
  const auto cut = outcomes(fs, request({"web"}, {"cpu.max=20000", "cpu.max.burst=20000"}));
  EXPECT_EQ(cut[0].change.after.knob, cgroup::Knob::cpu_max_burst);
}

TEST(Plan, SaysThatGoingIdleForgetsTheWeight) {
  FakeCgroupfs fs(Cgroups{{"web", {{"cpu.weight", "300\n"}}}, {"db", {}}});
  const auto steps = outcomes(fs, request({"web"}, {"cpu.idle=1"}));
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].change.after.knob, cgroup::Knob::cpu_weight);
  EXPECT_EQ(steps[0].change.after.text, "100");
  EXPECT_EQ(outcomes(fs, request({"db"}, {"cpu.idle=1"})).size(), 1U);
}

std::vector<std::string> order(Plan& plan) {
  std::vector<std::string> all;
  for (const Write& write : write_order(plan)) {
    const Change& change = write.step->outcome.change;
    all.push_back(change.cgroup + " " + std::string(cgroup::info(change.after.knob).file));
  }
  return all;
}
using Order = std::vector<std::string>;

TEST(WriteOrder, RaisesParentsFirstAndCutsChildrenFirst) {
  FakeCgroupfs fs(Cgroups{{"a", {{"cpu.max", "50000 100000\n"}}}, {"a/b", {{"cpu.max", "50000 100000\n"}}}});
  Plan raise = make_plan(*fs.root(), request({"a/b", "a"}, {"cpus=1"})).value();
  EXPECT_EQ(order(raise), (Order{"/a cpu.max", "/a/b cpu.max"}));
  Plan cut = make_plan(*fs.root(), request({"a", "a/b"}, {"cpus=0.2"})).value();
  EXPECT_EQ(order(cut), (Order{"/a/b cpu.max", "/a cpu.max"}));
}

TEST(WriteOrder, CutsBeforeItRaises) {
  FakeCgroupfs fs(Cgroups{{"a", {{"cpu.max", "50000 100000\n"}}}, {"b", {}}});
  Plan plan = make_plan(*fs.root(), request({"a", "b"}, {"cpus=1"})).value();  // up from 0.5, down from max
  EXPECT_EQ(order(plan), (Order{"/b cpu.max", "/a cpu.max"}));
}

TEST(WriteOrder, KeepsTheOrderThatTheKernelAcceptsInOneCgroup) {
  FakeCgroupfs fs(Cgroups{{"a", {{"cpu.weight", "200\n"}, {"cpu.idle", "1\n"}}}});
  Plan plan = make_plan(*fs.root(), request({"a"}, {"cpu.weight=50", "cpu.idle=0"})).value();
  EXPECT_EQ(order(plan), (Order{"/a cpu.idle", "/a cpu.weight"}));
}

TEST(Plan, MergesTargetsThatAreTheSameContainer) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  Request twice = request({"web", "web"}, {"cpus=1"});
  twice.targets[1].settings = {cgroup::parse_setting("memory=64M").value(),
                               cgroup::parse_setting("cpus=1").value()};
  EXPECT_EQ(outcomes(fs, twice).size(), 2U);
}

TEST(Plan, RefusesTwoValuesForOneKnobOfAContainer) {
  FakeCgroupfs fs(Cgroups{{"web", {}}});
  Request twice = request({"web", "web"}, {"cpus=1"});
  twice.targets[1].target = "label:a";
  twice.targets[1].settings = {cgroup::parse_setting("cpus=2").value()};
  EXPECT_THAT(make_plan(*fs.root(), twice), HasError(ErrorKind::invalid));
}

}  // namespace
}  // namespace weir::limits
