// SPDX-License-Identifier: MIT
#include "weir/latency/value.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

#include "weir/latency/course.h"

namespace weir::latency {
namespace {

using cgroup::Knob;
using testing::HasError;
using testing::HasValue;

TEST(Value, SpeaksToEachMethodInItsWords) {
  const Value quota{.knob = Knob::cpu_max, .number = 50'000};
  EXPECT_EQ(kernel_text(quota), "50000 100000");
  EXPECT_EQ(docker_json(quota), R"({"CpuPeriod":100000,"CpuQuota":50000})");
  EXPECT_EQ(oci_resources(quota), R"({"cpu":{"period":100000,"quota":50000}})");
  EXPECT_EQ(unit_property(quota).name, "CPUQuotaPerSecUSec");
  EXPECT_EQ(unit_property(quota).value, 500'000U);
}

TEST(Value, GivesMemoryHighToRuncAsTheKernelsFile) {
  const Value high{.knob = Knob::memory_high, .number = 1 << 20};
  EXPECT_EQ(oci_resources(high), R"({"unified":{"memory.high":"1048576"}})");
  EXPECT_TRUE(docker_options(high).empty());
  EXPECT_TRUE(unsupported(Method::docker_cli, Knob::memory_high).has_value());
}

TEST(Value, SaysUnlimitedAsEachMethodDoes) {
  const Value unlimited{.knob = Knob::memory_max, .number = kUnlimited};
  EXPECT_EQ(kernel_text(unlimited), "max");
  EXPECT_EQ(docker_json(unlimited), R"({"Memory":-1,"MemorySwap":-1})");
  EXPECT_EQ(unit_property(unlimited).value, UINT64_MAX);
}

TEST(Value, ReadsWhatTheKernelHolds) {
  EXPECT_THAT(parse_value(Knob::cpu_max, "max 100000"), HasValue(Value{Knob::cpu_max, kUnlimited}));
  EXPECT_THAT(parse_value(Knob::cpu_max, "25000 50000"), HasValue(Value{Knob::cpu_max, 50'000}));
  EXPECT_THAT(parse_value(Knob::memory_max, "4096"), HasValue(Value{Knob::memory_max, 4096}));
  EXPECT_THAT(parse_value(Knob::cpu_weight, "100"), HasValue(Value{Knob::cpu_weight, 1024}));
}

TEST(Value, RefusesWhatNoKernelSays) {
  for (const char* text : {"", "x", "-1", "10 0", "10", "18446744073709551614 1"})
    EXPECT_THAT(parse_value(Knob::cpu_max, text), HasError(ErrorKind::invalid)) << text;
  EXPECT_THAT(parse_value(Knob::cpu_weight, "0"), HasError(ErrorKind::invalid));
  EXPECT_THAT(parse_value(Knob::memory_max, "1x"), HasError(ErrorKind::invalid));
}

TEST(CallValues, NeverHoldAnotherOnesContainerTighterThanItWas) {
  const auto quota = call_values(Knob::cpu_max, "30000 100000", false, Bytes(0), 2);
  ASSERT_TRUE(quota.has_value());
  EXPECT_GE(quota->first.number, 30'000U);
  EXPECT_GT(quota->second.number, quota->first.number);
  const auto memory = call_values(Knob::memory_max, "max", false, Bytes(300 * kMiB), 2);
  ASSERT_TRUE(memory.has_value());
  EXPECT_GE(memory->first.number, 600 * kMiB);
}

}  // namespace
}  // namespace weir::latency
