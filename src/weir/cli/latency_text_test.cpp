// SPDX-License-Identifier: MIT
#include "weir/cli/latency_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

using cgroup::Knob;
using latency::Method;
using latency::Part;
using ::testing::HasSubstr;
using ::testing::Not;

latency::Report report() {
  latency::Outcome outcome;
  outcome.hooks.push_back(
      {Knob::cpu_max, {.entry = {.name = "fentry vfs_write"}, .handler = {.why_not = "no BTF"}}});
  for (const std::uint64_t ms : {38, 40, 44})
    outcome.samples.push_back(
        {.method = Method::docker_cli, .times = {ms * 1'000'000, ms * 900'000, std::nullopt}});
  for (const std::uint64_t ns : {1000, 1100, 2000})
    outcome.samples.push_back({.method = Method::pwrite, .times = {ns, 300, std::nullopt}});
  outcome.unsupported = {
      {Method::docker_cli, Knob::cpu_max, latency::Stage::handler_done, "no BTF"},
      {Method::pwrite, Knob::cpu_max, latency::Stage::handler_done, "no BTF"},
      {Method::docker_api, Knob::memory_high, std::nullopt, "hostile \x1b[2J\xff answer"},
  };
  return latency::make_report({.kernel = "Linux 6.12", .load = "idle", .cpus = 2, .plan = {.seed = 1}},
                              outcome);
}

TEST(LatencyText, IsATableADistributionAndTheAverages) {
  const std::string text = latency_text(report(), 80);
  EXPECT_THAT(text, HasSubstr("cpu.max: until the call returns (clock_gettime around the call)\n"));
  EXPECT_THAT(text,
              HasSubstr("docker update                  3    40 ms    44 ms    44 ms    44 ms      1.00x\n"));
  EXPECT_THAT(text,
              HasSubstr("pwrite on a kept fd            3   1.1 us     2 us     2 us     2 us    36,364x\n"));
  EXPECT_THAT(text, HasSubstr("|1 us"));
  EXPECT_THAT(text, HasSubstr("Average cpu.max latency via docker update: 40.7 ms\n"));
}

TEST(LatencyText, SaysOnceWhyAStageIsNotTimed) {
  EXPECT_THAT(latency_text(report(), 80),
              HasSubstr("  no BTF\n    cpu.max handler_done: docker_cli, pwrite\n"));
}

TEST(LatencyText, KeepsHostileBytesFromTheTerminal) {
  const std::string text = latency_text(report(), 80);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("hostile \\x1b[2J\\xff answer"));
}

TEST(LatencyText, FitsTheTerminal) {
  for (const std::size_t columns : {80U, 200U}) {
    const std::string text = latency_text(report(), columns);
    for (const std::string_view line : split(text, '\n')) EXPECT_LE(display_width(line), columns) << line;
  }
}

TEST(LatencyText, ShowsMoreColumnsWhereThereIsRoom) {
  EXPECT_THAT(latency_text(report(), 80), Not(HasSubstr("p99.9")));
  EXPECT_THAT(latency_text(report(), 120), HasSubstr("p99.9"));
}

}  // namespace
}  // namespace weir::cli
