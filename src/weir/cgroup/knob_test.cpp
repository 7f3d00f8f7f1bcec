// SPDX-License-Identifier: MIT
#include "weir/cgroup/knob.h"

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"

namespace weir::cgroup {
namespace {

using std::chrono::microseconds;
using testing::FakeCgroupfs;
using testing::HasError;
using ::testing::HasSubstr;
using testing::HasValue;
using testing::Succeeds;

struct Good {
  std::string_view assignment;
  Knob knob;
  std::string_view device, text;
};
constexpr Good kGood[] = {
    {"cpus=1.5", Knob::cpu_max, "", "150000 100000"},
    {"cpus=0.01", Knob::cpu_max, "", "1000 100000"},
    {"cpus=max", Knob::cpu_max, "", "max 100000"},
    {"cpu.max=50000 100000", Knob::cpu_max, "", "50000 100000"},
    {"cpu.max=50000/200000", Knob::cpu_max, "", "50000 200000"},
    {"cpu.max=50000", Knob::cpu_max, "", "50000"},
    {"cpu.max=max", Knob::cpu_max, "", "max"},
    {"cpu.max=max 20000", Knob::cpu_max, "", "max 20000"},
    {"cpu.max.burst=0", Knob::cpu_max_burst, "", "0"},
    {"cpu.weight=10000", Knob::cpu_weight, "", "10000"},
    {"cpu.weight=0100", Knob::cpu_weight, "", "100"},
    {"cpu.idle=1", Knob::cpu_idle, "", "1"},
    {"memory=512M", Knob::memory_max, "", "536870912"},
    {"memory.max=1.5G", Knob::memory_max, "", "1610612736"},
    {"memory.high=5000", Knob::memory_high, "", "4096"},
    {"memory.low=max", Knob::memory_low, "", "max"},
    {"memory.min=0", Knob::memory_min, "", "0"},
    {"swap=0", Knob::memory_swap_max, "", "0"},
    {"memory.oom.group=1", Knob::memory_oom_group, "", "1"},
    {"pids=512", Knob::pids_max, "", "512"},
    {"pids.max=max", Knob::pids_max, "", "max"},
    {"cpuset.cpus=7,0-2,3", Knob::cpuset_cpus, "", "0-3,7"},
    {"cpuset.cpus=", Knob::cpuset_cpus, "", ""},
    {"cpuset.mems=0,0", Knob::cpuset_mems, "", "0"},
    {"freeze=1", Knob::cgroup_freeze, "", "1"},
    {"io.max=8:0:wbps=4M,riops=100", Knob::io_max, "8:0", "wbps=4194304 riops=100"},
    {"io.max=8:0 riops=100 rbps=1K", Knob::io_max, "8:0", "rbps=1024 riops=100"},
    {"io.max=259:7:rbps=max,wbps=max,riops=max,wiops=max", Knob::io_max, "259:7",
     "rbps=max wbps=max riops=max wiops=max"},
    {"io.weight=200", Knob::io_weight, "default", "200"},
    {"io.weight=default 200", Knob::io_weight, "default", "200"},
    {"io.weight=default:200", Knob::io_weight, "default", "200"},
    {"io.weight=8:16:50", Knob::io_weight, "8:16", "50"},
    {"io.weight=8:16:default", Knob::io_weight, "8:16", "default"},
    {"io.latency=8:0:target=10ms", Knob::io_latency, "8:0", "target=10000"},
    {"io.latency=8:0 target=75", Knob::io_latency, "8:0", "target=75"},
};

TEST(ParseSetting, TakesEveryGoodForm) {
  for (const Good& good : kGood) {
    const auto setting = parse_setting(good.assignment);
    ASSERT_THAT(setting, Succeeds()) << good.assignment;
    EXPECT_EQ(setting->knob, good.knob) << good.assignment;
    EXPECT_EQ(setting->device, good.device) << good.assignment;
    EXPECT_EQ(setting->text, good.text) << good.assignment;
  }
}

struct Bad {
  std::string_view assignment, why;
};
constexpr Bad kBad[] = {
    {"", "is not knob=value"},
    {"cpus", "is not knob=value"},
    {"=1", "no limit that weir knows"},
    {"cpu.maxx=1", "no limit that weir knows"},
    {"../cpu.max=1", "no limit that weir knows"},
    {"cpus=", "not a number of CPUs"},
    {"cpus=-1", "not a number of CPUs"},
    {"cpus=0", "least"},
    {"cpus=0.004", "least"},
    {"cpus=1e3", "not a number of CPUs"},
    {"cpus=nan", "not a number of CPUs"},
    {"cpus=999999999999999999999", "more than the kernel"},
    {"cpu.max=", "not a quota"},
    {"cpu.max=1 2 3", "not a quota"},
    {"cpu.max=999", "least, 1000"},
    {"cpu.max=50000 999", "period outside"},
    {"cpu.max=50000 1000001", "period outside"},
    {"cpu.max=99999999999999999 100000", "more than the kernel"},
    {"cpu.max=-1 100000", "no number"},
    {"cpu.max.burst=max", "not a number"},
    {"cpu.weight=0", "outside 1 .. 10000"},
    {"cpu.weight=10001", "outside 1 .. 10000"},
    {"cpu.weight=max", "not a number"},
    {"cpu.idle=2", "neither 0 nor 1"},
    {"memory=512X", "unknown unit"},
    {"memory=", "not a size"},
    {"memory=-1", "not a size"},
    {"memory=1", "less than a page"},
    {"memory=9999999999G", "more than any machine"},
    {"memory=99999999999999999999", "too large"},
    {"memory.oom.group=yes", "neither 0 nor 1"},
    {"pids=1.5", "not a number"},
    {"pids=4194305", "outside"},
    {"cpuset.cpus=3-1", "no list"},
    {"cpuset.cpus=a", "no list"},
    {"cpuset.cpus=1,,2", "no list"},
    {"cpuset.cpus=0-99999999", "no list"},
    {"cgroup.freeze=true", "neither 0 nor 1"},
    {"io.max=wbps=4M", "names no device"},
    {"io.max=8:0", "is none of"},
    {"io.max=8:0:", "no key is named"},
    {"io.max=8:0:wbps", "is none of"},
    {"io.max=8:0:bps=1", "is none of"},
    {"io.max=8:0:wbps=0", "refused by the kernel"},
    {"io.max=8:0:riops=4M", "is no number"},
    {"io.max=8:0:riops=1,riops=2", "named twice"},
    {"io.max=sda:wbps=1", "names no device"},
    {"io.max=/dev/null:wbps=1", "is no block device"},
    {"io.max=/dev/../etc/no-such-file:wbps=1", "look for the block device"},
    {"io.max=8:0:wbps=1\n8:16 wbps=1", "control character"},
    {"io.weight=8:0:0", "outside"},
    {"io.weight=x:5", "names no device"},
    {"io.latency=8:0:5", "names no target="},
    {"io.latency=8:0:target=soon", "no duration"},
};

TEST(ParseSetting, SaysWhyItRefuses) {
  for (const Bad& bad : kBad) {
    const auto setting = parse_setting(bad.assignment);
    ASSERT_FALSE(setting) << bad.assignment;
    EXPECT_THAT(setting.error().message(), HasSubstr(bad.why)) << bad.assignment;
  }
}

TEST(ParseSetting, NamesTheNearestKnob) {
  EXPECT_THAT(parse_setting("cpu.maxx=1").error().hint, HasSubstr("cpu.max"));
  EXPECT_THAT(parse_setting("memroy.max=1").error().hint, HasSubstr("memory.max"));
}

TEST(ParseSetting, ShowsTheSyntaxOfTheKnob) {
  EXPECT_THAT(parse_setting("memory.max=lots").error().hint, HasSubstr("SIZE | max"));
}

TEST(Setting, WritesAnEmptyListAsANewline) {
  EXPECT_EQ((Setting{Knob::cpuset_cpus, "", ""}.to_write()), "\n");
  EXPECT_EQ((Setting{Knob::io_weight, "default", "50"}.to_write()), "default 50");
}

TEST(WriteSetting, IsHeldByTheKernelInItsOwnWords) {
  FakeCgroupfs fs({{"web", {}}});
  const auto dir = fs.dir("web");
  for (const Good& good : kGood) {
    auto setting = parse_setting(good.assignment);
    if (setting->device == "259:7") continue;
    const auto before = read_setting(*dir, *setting);
    ASSERT_THAT(before, Succeeds()) << good.assignment;
    const Setting whole = complete(*setting, *before);
    EXPECT_THAT(write_setting(*dir, whole), Succeeds()) << good.assignment;
    EXPECT_THAT(read_setting(*dir, whole), HasValue(whole)) << good.assignment;
    if (whole.knob == Knob::cpu_idle) ASSERT_THAT(dir->write("cpu.idle", "0"), Succeeds());
  }
}

TEST(WriteSetting, SaysWhatTheKernelHoldsInstead) {
  FakeCgroupfs fs({{"web", {}}});
  const auto written = write_setting(*fs.dir("web"), Setting{Knob::memory_max, "", "5000"});
  ASSERT_THAT(written, HasError(ErrorKind::failed));
  EXPECT_THAT(written.error().message(), HasSubstr("wrote '5000', the kernel holds '4096'"));
}

TEST(Complete, KeepsThePeriodOfAOneNumberCpuMax) {
  const Setting have{Knob::cpu_max, "", "max 50000"};
  EXPECT_EQ(complete({Knob::cpu_max, "", "20000"}, have).text, "20000 50000");
  EXPECT_EQ(complete({Knob::cpu_max, "", "max"}, have).text, "max 50000");
  EXPECT_EQ(complete({Knob::cpu_max, "", "20000 100000"}, have).text, "20000 100000");
}

TEST(Complete, KeepsTheKeysOfIoMaxThatAreNotNamed) {
  const Setting have{Knob::io_max, "8:0", "rbps=max wbps=4096 riops=max wiops=7"};
  EXPECT_EQ(complete({Knob::io_max, "8:0", "wbps=max riops=5"}, have).text,
            "rbps=max wbps=max riops=5 wiops=7");
}

TEST(ReadSetting, GivesTheDefaultForADeviceWithoutALine) {
  FakeCgroupfs fs({{"web", {}}});
  const auto dir = fs.dir("web");
  EXPECT_EQ(read_setting(*dir, {Knob::io_max, "8:0", ""})->text, "rbps=max wbps=max riops=max wiops=max");
  EXPECT_EQ(read_setting(*dir, {Knob::io_latency, "8:0", ""})->text, "target=0");
  EXPECT_EQ(read_setting(*dir, {Knob::io_weight, "8:0", ""})->text, "default");
  EXPECT_EQ(read_setting(*dir, {Knob::io_weight, "default", ""})->text, "100");
}

TEST(ReadSettings, LeavesOutWhatTheCgroupHasNot) {
  FakeCgroupfs fs({{"web", {{"cpu.max", "20000 100000\n"}}}});
  fs.set("/", "cgroup.subtree_control", "cpu");
  const auto settings = read_settings(*fs.dir("web"));
  ASSERT_THAT(settings, Succeeds());
  ASSERT_EQ(settings->size(), 5U);
  EXPECT_EQ(describe(settings->front()), "cpu.max 0.2 cpus (20000/100000)");
}

TEST(Describe, SpeaksToPeople) {
  EXPECT_EQ(describe({Knob::cpu_max, "", "150000 100000"}), "cpu.max 1.5 cpus (150000/100000)");
  EXPECT_EQ(describe({Knob::cpu_max, "", "max 100000"}), "cpu.max max");
  EXPECT_EQ(describe({Knob::memory_max, "", "536870912"}), "memory.max 512M");
  EXPECT_EQ(describe({Knob::memory_max, "", "max"}), "memory.max max");
  EXPECT_EQ(describe({Knob::io_max, "8:0", "wbps=4194304 riops=100"}), "io.max 8:0 wbps=4M riops=100");
  EXPECT_EQ(describe({Knob::cpuset_cpus, "", ""}), "cpuset.cpus (as the parent)");
}

TEST(ParseCpuMax, ReadsWhatTheKernelPrints) {
  EXPECT_THAT(parse_cpu_max("max 100000\n"), HasValue(CpuMax{}));
  const auto value = parse_cpu_max("150000 100000\n");
  ASSERT_THAT(value, Succeeds());
  EXPECT_DOUBLE_EQ(value->cpus().value(), 1.5);
  EXPECT_EQ(to_kernel(*value), "150000 100000");
}

TEST(ParseCpuMax, RefusesAnythingElse) {
  for (const std::string_view text :
       {"", "max", "1", "1 0", "a b", "-1 100000", "1 2 3", "99999999999999999999 1", "1 max"})
    EXPECT_THAT(parse_cpu_max(text), HasError(ErrorKind::failed)) << text;
}

TEST(ReadMemoryMax, ReportsUnlimitedForMax) {
  FakeCgroupfs fs({{"web", {{"memory.max", "max\n"}}}});
  EXPECT_THAT(read_memory_max(*fs.dir("web")), HasValue(Limit<Bytes>::unlimited()));
}

TEST(ReadMemoryMax, TellsAbsentFromGone) {
  FakeCgroupfs fs({{"web", {}}});
  const auto dir = fs.dir("web");
  fs.take_file("web", "memory.max");
  EXPECT_THAT(read_memory_max(*dir), HasError(ErrorKind::absent));
  fs.remove("web");
  EXPECT_THAT(read_memory_max(*dir), HasError(ErrorKind::gone));
}

TEST(WriteValue, PutsATypedValueIntoAKeptFile) {
  FakeCgroupfs fs({{"web", {}}});
  const auto file = fs.dir("web")->keep("cpu.max", Access::write);
  ASSERT_THAT(file, Succeeds());
  EXPECT_THAT(write_value(**file, CpuMax{Limit(microseconds(20'000)), microseconds(50'000)}), Succeeds());
  EXPECT_EQ(fs.get("web", "cpu.max"), "20000 50000\n");
  EXPECT_EQ(to_kernel_text(Limit<Bytes>::unlimited()).view(), "max");
  EXPECT_EQ(to_kernel_text(Limit(Bytes(UINT64_MAX))).view(), "18446744073709551615");
  EXPECT_EQ(to_kernel_text(Weight(100)).view(), "100");
}

TEST(EffectiveCpuMax, IsTheTightestLevelAndNamesIt) {
  FakeCgroupfs fs(
      {{"a", {{"cpu.max", "20000 100000\n"}}}, {"a/b", {{"cpu.max", "50000 100000\n"}}}, {"a/b/c", {}}});
  const auto effective = effective_cpu_max(*fs.root(), "/a/b/c");
  ASSERT_THAT(effective, Succeeds());
  EXPECT_EQ(effective->holder, "/a");
  EXPECT_EQ(to_kernel(effective->value), "20000 100000");
}

TEST(EffectiveCpuMax, ComparesRatiosNotQuotas) {
  FakeCgroupfs fs({{"a", {{"cpu.max", "100000 1000000\n"}}}, {"a/b", {{"cpu.max", "50000 100000\n"}}}});
  EXPECT_EQ(effective_cpu_max(*fs.root(), "/a/b")->holder, "/a");
}

TEST(EffectiveCpuMax, IsHeldByTheNearestAmongEquals) {
  FakeCgroupfs fs({{"a", {{"cpu.max", "50000 100000\n"}}}, {"a/b", {{"cpu.max", "50000 100000\n"}}}});
  EXPECT_EQ(effective_cpu_max(*fs.root(), "/a/b")->holder, "/a/b");
}

TEST(EffectiveCpuMax, HasNoHolderWhereNothingLimits) {
  FakeCgroupfs fs({{"a", {}}});
  EXPECT_EQ(effective_cpu_max(*fs.root(), "/a")->holder, "");
  EXPECT_TRUE(effective_cpu_max(*fs.root(), "/a")->value.quota.is_unlimited());
  EXPECT_THAT(effective_cpu_max(*fs.root(), "/b"), HasError(ErrorKind::absent));
}

TEST(EffectiveMemory, PassesOverALevelWithoutTheController) {
  FakeCgroupfs fs({{"a", {{"memory.max", "4096000\n"}}}, {"a/b", {}}});
  fs.take_file("a/b", "memory.max");
  const auto effective = effective_memory(*fs.root(), "/a/b", Knob::memory_max);
  ASSERT_THAT(effective, Succeeds());
  EXPECT_EQ(effective->holder, "/a");
  EXPECT_EQ(effective->value, Limit(Bytes(4096000)));
}

TEST(EffectivePidsMax, IsTheSmallest) {
  FakeCgroupfs fs({{"a", {{"pids.max", "10\n"}}}, {"a/b", {{"pids.max", "20\n"}}}});
  EXPECT_EQ(effective_pids_max(*fs.root(), "/a/b")->holder, "/a");
}

}  // namespace
}  // namespace weir::cgroup
