// SPDX-License-Identifier: MIT
#include "weir/latency/state_file.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace weir::latency {
namespace {

using cgroup::Knob;
using testing::HasError;

const std::string kHead = "weir-latency-state 1 9 race\n";

std::vector<Sample> two() {
  Sample cut{.knob = Knob::cpu_max, .part = Part::effect, .direction = Direction::cut, .times = {1, 2, 3, 4}};
  Sample raise = cut;
  raise.direction = Direction::raise;
  raise.times = {5, std::nullopt, std::nullopt, 6};
  return {cut, raise};
}

TEST(State, GivesBackWhatWasKept) {
  const auto parsed = parse_state(kHead + state_lines(3, two()), "race");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->next, 3U);
  EXPECT_EQ(parsed->seed, 9U);
  EXPECT_EQ(parsed->samples, two());
}

TEST(State, IsGoodWhereverItWasCutOff) {
  const std::string whole = kHead + state_lines(1, {}) + state_lines(2, two());
  for (std::size_t size = kHead.size(); size < whole.size(); ++size) {
    const auto parsed = parse_state(whole.substr(0, size), "race");
    ASSERT_TRUE(parsed.has_value()) << size;
    EXPECT_LE(parsed->next, 1U);
    EXPECT_TRUE(parsed->samples.empty());
  }
}

TEST(State, RefusesAnotherRaceAndNonsense) {
  const std::string bad[] = {"",
                             "x\n",
                             "weir-latency-state 1 race\n",
                             "weir-latency-state 1 9 other\n",
                             kHead + "d 0\n",
                             kHead + "d 2\nd 1\n",
                             kHead + "s pwrite cpu.max 0 0 1 2 3\n",
                             kHead + "s pwrite cpu.max 2 0 1 2 3 4\n",
                             kHead + "s pwrite pids.max 0 0 1 2 3 4\n",
                             kHead + "s pwrite cpu.max 0 0 1 2 3 -4\n",
                             kHead + "\n"};
  for (const std::string& text : bad)
    EXPECT_THAT(parse_state(text, "race"), HasError(ErrorKind::invalid)) << text;
}

TEST(Fingerprint, DiffersWithTheOptions) {
  PlanOptions plan{.combinations = {{Method::pwrite, Knob::cpu_max}}};
  const std::string one = fingerprint(plan, "idle", "Linux 6.12");
  EXPECT_NE(one, fingerprint(plan, "cpu", "Linux 6.12"));
  plan.counts.slow = 1;
  EXPECT_NE(one, fingerprint(plan, "idle", "Linux 6.12"));
}

}  // namespace
}  // namespace weir::latency
