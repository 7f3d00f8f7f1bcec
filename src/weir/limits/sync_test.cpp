// SPDX-License-Identifier: MIT
#include "weir/limits/sync.h"

#include <gmock/gmock.h>

namespace weir::limits {
namespace {

using cgroup::Knob;
using cgroup::Setting;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kNone(kInfinity);

Listeners docker(Values says) {
  return {.engine = true,
          .unit = false,
          .engine_says = std::move(says),
          .host_cpus = 4,
          .host_memory = 8'000'000'000};
}
Listeners systemd(Values says = {}) {
  return {.unit = true,
          .unit_says = std::move(says),
          .quota_step = kHundredthsOfPercents,
          .device_paths = {{"254:0", "/dev/vda"}}};
}

struct EngineCase {
  const char* what;
  Values says;
  Setting wanted;
  std::vector<Setting> kernel;
  Values told;
};

TEST(TranslateToTheEngine, KeepsTheFormThatTheContainerWasMadeWith) {
  const Values made_nano = {{"NanoCpus", "1000000000"}, {"CpuQuota", "0"}, {"CpuPeriod", "0"}};
  const Values made_quota = {{"NanoCpus", "0"}, {"CpuQuota", "50000"}, {"CpuPeriod", "0"}};
  const Values made_period = {{"NanoCpus", "0"}, {"CpuQuota", "50000"}, {"CpuPeriod", "50000"}};
  const Values nothing = {
      {"NanoCpus", "0"}, {"CpuQuota", "0"}, {"CpuPeriod", "0"}, {"Memory", "0"}, {"MemorySwap", "0"}};
  const Setting swap_max{Knob::memory_swap_max, "", "max"};
  const EngineCase cases[] = {
      {"nano", made_nano, {Knob::cpu_max, "", "150000 100000"}, {}, {{"NanoCpus", "1500000000"}}},
      {"nano, exactly", made_nano, {Knob::cpu_max, "", "153113 100000"}, {}, {{"NanoCpus", "1531130000"}}},
      {"nano, another period", made_nano, {Knob::cpu_max, "", "1000 3000"}, {}, {{"NanoCpus", "333333334"}}},
      {"nano, more than the host has",
       made_nano,
       {Knob::cpu_max, "", "900000 100000"},
       {},
       {{"NanoCpus", "4000000000"}}},
      {"nano, less than the engine takes",
       made_nano,
       {Knob::cpu_max, "", "1000 1000000"},
       {},
       {{"NanoCpus", "10000000"}}},
      {"nano, none", made_nano, {Knob::cpu_max, "", "max 100000"}, {}, {{"NanoCpus", "4000000000"}}},
      {"quota", made_quota, {Knob::cpu_max, "", "70000 100000"}, {}, {{"CpuQuota", "70000"}}},
      {"quota, another period",
       made_quota,
       {Knob::cpu_max, "", "7000 10000"},
       {},
       {{"CpuQuota", "7000"}, {"CpuPeriod", "10000"}}},
      {"quota and period",
       made_period,
       {Knob::cpu_max, "", "70000 100000"},
       {},
       {{"CpuQuota", "70000"}, {"CpuPeriod", "100000"}}},
      {"quota, none", made_quota, {Knob::cpu_max, "", "max 100000"}, {}, {{"CpuQuota", "-1"}}},
      {"no limit so far", nothing, {Knob::cpu_max, "", "50000 100000"}, {}, {{"NanoCpus", "500000000"}}},
      {"no limit so far, odd period",
       nothing,
       {Knob::cpu_max, "", "5000 10000"},
       {},
       {{"CpuQuota", "5000"}, {"CpuPeriod", "10000"}}},
      {"memory",
       nothing,
       {Knob::memory_max, "", "64000000"},
       {swap_max},
       {{"Memory", "64000000"}, {"MemorySwap", "-1"}}},
      {"memory beside swap",
       nothing,
       {Knob::memory_max, "", "64000000"},
       {{Knob::memory_swap_max, "", "1000000"}},
       {{"Memory", "64000000"}, {"MemorySwap", "65000000"}}},
      {"no memory limit",
       nothing,
       {Knob::memory_max, "", "max"},
       {swap_max},
       {{"Memory", "8000000000"}, {"MemorySwap", "-1"}}},
      {"swap without a memory limit", nothing, {Knob::memory_swap_max, "", "1000000"}, {}, {}},
      {"pids that it was made with",
       {{"PidsLimit", "10"}},
       {Knob::pids_max, "", "20"},
       {},
       {{"PidsLimit", "20"}}},
      {"pids, none", {{"PidsLimit", "10"}}, {Knob::pids_max, "", "max"}, {}, {{"PidsLimit", "0"}}},
      {"pids that it was made without", {{"PidsLimit", "0"}}, {Knob::pids_max, "", "20"}, {}, {}},
      {"cpuset", {{"CpusetCpus", "0"}}, {Knob::cpuset_cpus, "", "0-1"}, {}, {{"CpusetCpus", "0-1"}}},
      {"a cpuset cannot be forgotten", {{"CpusetCpus", "0"}}, {Knob::cpuset_cpus, "", ""}, {}, {}},
      {"shares", {{"CpuShares", "1024"}}, {Knob::cpu_weight, "", "10000"}, {}, {{"CpuShares", "262144"}}},
      {"shares, the least", {{"CpuShares", "1024"}}, {Knob::cpu_weight, "", "1"}, {}, {{"CpuShares", "2"}}},
      {"what the engine does not know", nothing, {Knob::memory_high, "", "1000000"}, {}, {}},
  };
  for (const EngineCase& each : cases)
    EXPECT_EQ(translate({each.wanted}, each.kernel, docker(each.says)).engine, each.told) << each.what;
}

TEST(TranslateToSystemd, GivesEveryKnobItsProperty) {
  struct Case {
    Setting wanted;
    Values told;
  };
  const Case cases[] = {
      {{Knob::cpu_max, "", "50000 100000"}, {{"CPUQuotaPerSecUSec", "500000"}}},
      {{Knob::cpu_max, "", "max 100000"}, {{"CPUQuotaPerSecUSec", kNone}}},
      {{Knob::cpu_max, "", "5000 10000"},
       {{"CPUQuotaPerSecUSec", "500000"}, {"CPUQuotaPeriodUSec", "10000"}}},
      {{Knob::cpu_max, "", "53113 100000"}, {{"CPUQuotaPerSecUSec", "531200"}}},
      {{Knob::cpu_weight, "", "50"}, {{"CPUWeight", "50"}}},
      {{Knob::cpu_idle, "", "1"}, {{"CPUWeight", "0"}}},
      {{Knob::memory_min, "", "4096"}, {{"MemoryMin", "4096"}}},
      {{Knob::memory_low, "", "4096"}, {{"MemoryLow", "4096"}}},
      {{Knob::memory_high, "", "max"}, {{"MemoryHigh", kNone}}},
      {{Knob::memory_max, "", "4096"}, {{"MemoryMax", "4096"}}},
      {{Knob::memory_swap_max, "", "0"}, {{"MemorySwapMax", "0"}}},
      {{Knob::pids_max, "", "12"}, {{"TasksMax", "12"}}},
      {{Knob::cpuset_cpus, "", "0-1"}, {{"AllowedCPUs", "0-1"}}},
      {{Knob::cpuset_mems, "", "0"}, {{"AllowedMemoryNodes", "0"}}},
      {{Knob::io_max, "254:0", "rbps=max wbps=4096 riops=7 wiops=max"},
       {{"IOReadBandwidthMax /dev/vda", kNone},
        {"IOWriteBandwidthMax /dev/vda", "4096"},
        {"IOReadIOPSMax /dev/vda", "7"},
        {"IOWriteIOPSMax /dev/vda", kNone}}},
      {{Knob::io_max, "8:0", "rbps=max wbps=4096 riops=7 wiops=max"}, {}},  // no such node
      {{Knob::io_weight, "default", "200"}, {{"IOWeight", "200"}}},
      {{Knob::io_weight, "254:0", "200"}, {{"IODeviceWeight /dev/vda", "200"}}},
      {{Knob::io_latency, "254:0", "target=75"}, {{"IODeviceLatencyTargetUSec /dev/vda", "75"}}},
      {{Knob::io_latency, "254:0", "target=0"}, {{"IODeviceLatencyTargetUSec /dev/vda", kNone}}},
      {{Knob::cpu_max_burst, "", "1000"}, {}},
      {{Knob::memory_oom_group, "", "1"}, {}},
      {{Knob::cgroup_freeze, "", "1"}, {}},
  };
  for (const Case& each : cases)
    EXPECT_EQ(translate({each.wanted}, {}, systemd({{"CPUQuotaPeriodUSec", kNone}})).unit, each.told)
        << describe(each.wanted);
}

TEST(Rounded, SaysWhatSystemdMakesOfAQuota) {
  const auto after = [](const char* text, std::uint64_t step) {
    return rounded({Knob::cpu_max, "", text}, step);
  };
  EXPECT_EQ(after("53110 100000", kWholePercents), "54000 100000");
  EXPECT_EQ(after("53110 100000", kHundredthsOfPercents), std::nullopt);
  EXPECT_EQ(after("53113 100000", kHundredthsOfPercents), "53120 100000");
  EXPECT_EQ(after("54000 100000", kWholePercents), std::nullopt);
  EXPECT_EQ(after("1000 3000", kWholePercents), "1020 3000");
  EXPECT_EQ(after("max 100000", kWholePercents), std::nullopt);
  EXPECT_EQ(after("17592186044415 1000", kHundredthsOfPercents),
            std::nullopt);  // the greatest that the kernel takes
  EXPECT_EQ(rounded({Knob::memory_max, "", "4096"}, kWholePercents), std::nullopt);
}

TEST(Translate, SaysWhatIsRounded) {
  EXPECT_THAT(translate({{Knob::cpu_max, "", "53113 100000"}}, {}, systemd()).notes,
              ElementsAre(HasSubstr("makes '53120 100000' of it")));
  EXPECT_THAT(translate({{Knob::cpu_max, "", "54000 100000"}}, {}, systemd()).notes, IsEmpty());
  EXPECT_THAT(translate({{Knob::memory_max, "", "max"}}, {}, docker({})).notes,
              ElementsAre(HasSubstr("as good as none")));
}

TEST(TranslateBack, SaysWhatItWasAndTheWholeHostForWhatCannotBeForgotten) {
  EXPECT_EQ(translate_back({{"NanoCpus", "1000000000"}, {"CpuQuota", "0"}}, {},
                           docker({{"NanoCpus", "1500000000"}, {"CpuQuota", "0"}}))
                .engine,
            (Values{{"NanoCpus", "1000000000"}}));
  const Telling none =
      translate_back({{"NanoCpus", "0"}, {"CpuQuota", "0"}, {"CpuPeriod", "0"}}, {},
                     docker({{"NanoCpus", "1500000000"}, {"CpuQuota", "7"}, {"CpuPeriod", "9"}}));
  EXPECT_EQ(none.engine, (Values{{"NanoCpus", "4000000000"}, {"CpuQuota", "-1"}, {"CpuPeriod", "100000"}}));
  EXPECT_THAT(none.notes, ElementsAre(HasSubstr("cannot forget NanoCpus")));
  EXPECT_EQ(translate_back({{"Memory", "100"}, {"MemorySwap", "300"}}, {},
                           docker({{"Memory", "200"}, {"MemorySwap", "300"}}))
                .engine,
            (Values{{"Memory", "100"}, {"MemorySwap", "300"}}));
  EXPECT_EQ(translate_back({{"CpusetCpus", "0"}}, {}, docker({{"CpusetCpus", "0-1"}})).engine,
            (Values{{"CpusetCpus", "0"}}));
  EXPECT_EQ(translate_back({}, {{"TasksMax", "9"}}, systemd()).unit, (Values{{"TasksMax", "9"}}));
}

TEST(Differences, CountADeviceWithoutAnEntryAsUnlimited) {
  EXPECT_THAT(differences({{"A", "1"}, {"B /dev/vda", kNone}}, {{"A", "1"}}), IsEmpty());
  EXPECT_THAT(differences({{"A", "1"}}, {{"A", "2"}}), ElementsAre("A is 2, not 1"));
}

TEST(EngineJson, HasNumbersAndLists) {
  EXPECT_EQ(engine_json({{"CpuQuota", "-1"}, {"CpusetCpus", "0-1"}, {"Memory", "4096"}}),
            R"({"CpuQuota":-1,"CpusetCpus":"0-1","Memory":4096})");
}

TEST(CpuMask, GoesThereAndBack) {
  for (const char* list : {"", "0", "0-3,7", "8", "0-15", "63-65"}) EXPECT_EQ(cpu_list(cpu_mask(list)), list);
  EXPECT_EQ(cpu_mask("0-3,9"), (std::vector<std::uint8_t>{0x0f, 0x02}));
  EXPECT_THAT(cpu_mask("99999999999"), IsEmpty());
  EXPECT_THAT(cpu_mask("x"), IsEmpty());
}

}  // namespace
}  // namespace weir::limits
