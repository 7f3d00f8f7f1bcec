// SPDX-License-Identifier: MIT
// Checks against a host made of files, the plan for it, and the record.
#include <gmock/gmock.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>
#include <set>

#include "weir/doctor/check.h"
#include "weir/doctor/host.h"
#include "weir/doctor/record.h"
#include "weir/doctor/setup.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using weir::testing::FakeCgroupfs;
using weir::testing::HasError;
using weir::testing::HasValue;
using weir::testing::Succeeds;
namespace fs = std::filesystem;

class FakeHost : public ::testing::Test {
 protected:
  FakeHost() {
    paths_.proc = dir_.path("proc");
    paths_.sys = dir_.path("sys");
    paths_.state_dir = dir_.path("state");
    paths_.cgroup_root = dir_.path("no-cgroup");
    put("proc/sys/kernel/random/boot_id", "boot-1\n");
  }
  void put(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(dir_.path(name)).parent_path());
    std::ofstream(dir_.path(name)) << text;
  }
  std::string get(const std::string& name) { return text_of(dir_.path(name)).value_or("(none)"); }

  weir::testing::TempDir dir_;
  HostPaths paths_;
};

TEST_F(FakeHost, AKernelThatWasTestedIsAYes) {
  for (const char* release : {"6.12.107+deb13-cloud-amd64", "6.1.0-30-amd64", "6.12", "7.3.4+deb13-amd64"}) {
    put("proc/sys/kernel/osrelease", std::string(release) + "\n");
    EXPECT_EQ(kernel_release(paths_).status, Status::yes) << release;
  }
}

TEST_F(FakeHost, AKernelThatWasNotTestedSaysUntested) {
  for (const char* release : {"6.13.1", "6.10", "5.15.0-91-generic", "7.30.1", "nonsense", ""}) {
    put("proc/sys/kernel/osrelease", std::string(release) + "\n");
    EXPECT_EQ(kernel_release(paths_).status, Status::partial) << release;
    EXPECT_THAT(kernel_release(paths_).why, HasSubstr("untested"));
  }
}

TEST_F(FakeHost, LockdownIsTheWordInBrackets) {
  put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
  EXPECT_EQ(lockdown(paths_).status, Status::yes);
  put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  EXPECT_EQ(lockdown(paths_).status, Status::partial);
  put("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
  EXPECT_EQ(lockdown(paths_).status, Status::no);
}

TEST_F(FakeHost, AnEnabledBpfSchedulerIsNamed) {
  put("sys/kernel/sched_ext/state", "enabled\n");
  put("sys/kernel/sched_ext/root/ops", "scx_lavd\n");
  EXPECT_EQ(sched_ext(paths_).status, Status::partial);
  EXPECT_THAT(sched_ext(paths_).why, HasSubstr("scx_lavd"));
}

TEST_F(FakeHost, TracefsThatIsKnownButNotMountedIsPartial) {
  put("proc/filesystems", "nodev\ttracefs\n\text4\n");
  put("proc/self/mountinfo", "22 1 0:20 / /sys rw - sysfs sysfs rw\n");
  EXPECT_EQ(tracefs(paths_).status, Status::partial);
  put("proc/self/mountinfo", "23 22 0:12 / /sys/kernel/tracing rw,nosuid shared:9 - tracefs tracefs rw\n");
  EXPECT_EQ(tracefs(paths_).status, Status::yes);
}

TEST_F(FakeHost, ResctrlNeedsTheCpuThenTheKernelThenTheMount) {
  put("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme\n\n");
  EXPECT_EQ(resctrl(paths_).status, Status::no);
  put("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu cat_l3 cqm_mbm_total\n\n");
  EXPECT_EQ(resctrl(paths_).status, Status::no);
  put("proc/filesystems", "nodev\tresctrl\n");
  EXPECT_EQ(resctrl(paths_).status, Status::partial);
  put("proc/self/mountinfo", "40 22 0:30 / /sys/fs/resctrl rw - resctrl resctrl rw\n");
  EXPECT_EQ(resctrl(paths_).status, Status::yes);
}

TEST_F(FakeHost, ACapabilityIsReadFromTheEffectiveSet) {
  put("proc/self/status", "Name:\tweir\nCapPrm:\tffffffffffffffff\nCapEff:\t0000008000000000\nCapBnd:\t0\n");
  EXPECT_TRUE(holds_capability(paths_, 39));
  EXPECT_FALSE(holds_capability(paths_, 38));
  put("proc/self/status", "CapEff:\tzz\n");
  EXPECT_FALSE(holds_capability(paths_, 39));
}

TEST(MountPoints, UnescapeOctalAndIgnoreOtherTypes) {
  constexpr std::string_view kMountinfo =
      "1 0 0:1 / / rw - ext4 /dev/sda rw\n"
      "2 1 0:2 / /a\\040b rw shared:1 master:2 - tracefs none rw\n"
      "broken line\n"
      "3 1 0:3 / /c rw -\n";
  EXPECT_THAT(mount_points(kMountinfo, "tracefs"), ElementsAre("/a b"));
}

TEST(JudgeController, TellsHandedDownFromThereFromHeldByV1) {
  constexpr std::string_view kProc =
      "#subsys_name\thierarchy\tnum_cgroups\tenabled\nblkio\t5\t80\t1\ncpu\t4\t80\t1\nmemory\t0\t80\t0\n";
  EXPECT_EQ(judge_controller("io", "cpu io", "cpu io", kProc, "c").status, Status::yes);
  EXPECT_EQ(judge_controller("io", "cpu io", "cpu", kProc, "c").status, Status::partial);
  EXPECT_THAT(judge_controller("cpu", "", "", kProc, "c").why, HasSubstr("held by cgroup v1"));
  EXPECT_THAT(judge_controller("memory", "", "", kProc, "c").why, HasSubstr("switched off"));
  EXPECT_THAT(judge_controller("io", "io2", "", kProc, "c").why, HasSubstr("held by cgroup v1"));
  EXPECT_THAT(judge_controller("rdma", "", "", kProc, "c").why, HasSubstr("not in this kernel"));
}

TEST_F(FakeHost, EveryCheckAnswersAndWhatIsMissingSaysCostAndFix) {
  std::set<std::string_view> names;
  for (const Check& check : examine(paths_)) {
    EXPECT_FALSE(check.finding.why.empty()) << check.name;
    EXPECT_EQ(check.finding.status == Status::yes, check.finding.cost.empty()) << check.name;
    EXPECT_EQ(check.finding.status == Status::yes, check.finding.fix.empty()) << check.name;
    EXPECT_TRUE(names.insert(check.name).second) << check.name;
  }
}

TEST(Headline, CountsAndNamesWhatIsMissing) {
  const Check examined[] = {{"a", Theme::kernel, Need::feature, yes("x")},
                            {"b", Theme::kernel, Need::feature, no("x", "y", "z")},
                            {"c", Theme::kernel, Need::feature, partial("x", "y", "z")}};
  EXPECT_EQ(headline(examined), "Weir can do 1 of 3 things here. Not: b. In part: c.");
  EXPECT_TRUE(usable(examined));
}

TEST(Headline, SaysFirstThatTheMainJobCannotBeDone) {
  const Check examined[] = {{"cgroup v2", Theme::cgroup, Need::main_job, no("x", "y", "z")}};
  EXPECT_EQ(headline(examined), "Weir cannot do its main job here; it can do 0 of 1 things. Not: cgroup v2.");
  EXPECT_FALSE(usable(examined));
}

TEST(PlanControllers, AddsWhatIsThereAndNotHandedDown) {
  FakeCgroupfs cgroups;
  cgroups.set("/", "cgroup.controllers", "cpuset cpu io memory\n");
  cgroups.set("/", "cgroup.subtree_control", "cpu memory\n");
  EXPECT_THAT(
      plan_controllers(*cgroups.root()),
      ElementsAre(Step{.kind = StepKind::controller, .subject = "/", .before = "", .after = "io"},
                  Step{.kind = StepKind::controller, .subject = "/", .before = "", .after = "cpuset"}));
}

TEST_F(FakeHost, AParanoidSettingIsLoweredToTwoAndTakenBack) {
  put("proc/sys/kernel/perf_event_paranoid", "3\n");
  const auto steps = plan(paths_);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(
      fix(paths_, steps, [](const Step&, const Result<void>& result) { EXPECT_THAT(result, Succeeds()); }),
      Succeeds());
  EXPECT_EQ(get("proc/sys/kernel/perf_event_paranoid"), "2");
  EXPECT_THAT(plan(paths_), IsEmpty());

  const auto undone = undo(paths_);
  ASSERT_THAT(undone, Succeeds());
  ASSERT_THAT(*undone, SizeIs(1));
  EXPECT_EQ(undone->front().fate, Undone::taken_back);
  EXPECT_EQ(get("proc/sys/kernel/perf_event_paranoid"), "3");
  EXPECT_FALSE(fs::exists(dir_.path("state/doctor.json")));
}

TEST_F(FakeHost, APermissiveSettingIsLeftAlone) {
  for (const char* value : {"2", "1", "0", "-1", "nonsense"}) {
    put("proc/sys/kernel/perf_event_paranoid", std::string(value) + "\n");
    EXPECT_THAT(plan(paths_), IsEmpty()) << value;
  }
}

TEST_F(FakeHost, WhatSomebodyChangedSinceIsNotTakenBack) {
  put("proc/sys/kernel/perf_event_paranoid", "4\n");
  ASSERT_THAT(fix(paths_, plan(paths_), [](const Step&, const Result<void>&) {}), Succeeds());
  put("proc/sys/kernel/perf_event_paranoid", "1\n");
  const auto undone = undo(paths_);
  ASSERT_THAT(undone, Succeeds());
  EXPECT_EQ(undone->front().fate, Undone::changed_since);
  EXPECT_EQ(get("proc/sys/kernel/perf_event_paranoid"), "1");
}

TEST_F(FakeHost, AfterARestartNothingIsTakenBack) {
  put("proc/sys/kernel/perf_event_paranoid", "3\n");
  ASSERT_THAT(fix(paths_, plan(paths_), [](const Step&, const Result<void>&) {}), Succeeds());
  put("proc/sys/kernel/random/boot_id", "boot-2\n");
  const auto undone = undo(paths_);
  ASSERT_THAT(undone, Succeeds());
  EXPECT_THAT(*undone, IsEmpty());
  EXPECT_EQ(get("proc/sys/kernel/perf_event_paranoid"), "2");
}

TEST_F(FakeHost, AStepThatFailsIsNotRecorded) {
  const std::vector<Step> steps = {
      {.kind = StepKind::sysctl, .subject = dir_.path("proc/sys/none"), .before = "1", .after = "2"}};
  EXPECT_THAT(fix(paths_, steps, [](const Step&, const Result<void>&) {}), HasError(ErrorKind::absent));
  EXPECT_FALSE(fs::exists(dir_.path("state/doctor.json")));
}

TEST_F(FakeHost, ARecordThatCannotBeReadStopsFixAndUndo) {
  fs::create_directories(paths_.state_dir);
  put("state/doctor.json", "{\"boot_id\":\"boot-1\",\"steps\":[{\"kind\":\"format\"}]}");
  put("proc/sys/kernel/perf_event_paranoid", "3\n");
  EXPECT_THAT(fix(paths_, plan(paths_), [](const Step&, const Result<void>&) {}),
              HasError(ErrorKind::invalid));
  EXPECT_THAT(undo(paths_), HasError(ErrorKind::invalid));
  EXPECT_EQ(get("proc/sys/kernel/perf_event_paranoid"), "3");
}

TEST(DoctorRecord, IsReadAsItWasWritten) {
  const Record record{
      .boot_id = "b",
      .steps = {{.kind = StepKind::mount, .subject = "/a \"b\"", .before = "", .after = "tracefs"},
                {.kind = StepKind::controller, .subject = "/", .before = "", .after = "io"}}};
  const auto again = parse_record(to_text(record));
  ASSERT_THAT(again, Succeeds());
  EXPECT_EQ(again->boot_id, "b");
  EXPECT_EQ(again->steps, record.steps);
}

TEST(DoctorRecord, RefusesWhatIsNotOne) {
  for (const char* text : {"", "[]", "{}", "{\"boot_id\":\"b\"}", "{\"boot_id\":\"b\",\"steps\":{}}",
                           "{\"boot_id\":\"b\",\"steps\":[1]}", "{\"boot_id\":\"\",\"steps\":[]}",
                           "{\"boot_id\":\"b\",\"steps\":[{\"kind\":\"mount\"}]}"})
    EXPECT_THAT(parse_record(text), HasError(ErrorKind::invalid)) << text;
}

}  // namespace
}  // namespace weir::doctor
