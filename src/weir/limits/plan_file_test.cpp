// SPDX-License-Identifier: MIT
#include "weir/limits/plan_file.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(PlanFile, NamesTargetsAndTheirLimits) {
  const auto plan = parse_plan_file(
      "reason: the sale\n"
      "for: 2h\n"
      "limits:\n"
      "  web: {cpus: 1.5, memory: 512M}\n"
      "  'label:tier=batch':\n"
      "    cpu.weight: 50\n"
      "    io.max: [8:0:wbps=4M, 8:16:riops=100]\n",
      "plan.yml");
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->reason, "the sale");
  EXPECT_EQ(plan->lasts, "2h");
  EXPECT_FALSE(plan->sync);
  ASSERT_THAT(plan->entries, SizeIs(2));
  EXPECT_EQ(plan->entries[0].target, "web");
  EXPECT_EQ(plan->entries[0].where, "plan.yml:4:3");
  ASSERT_THAT(plan->entries[0].settings, SizeIs(2));
  EXPECT_EQ(plan->entries[0].settings[0].knob, Knob::cpu_max);
  EXPECT_EQ(plan->entries[0].settings[1].text, "536870912");
  ASSERT_THAT(plan->entries[1].settings, SizeIs(3));
  EXPECT_EQ(plan->entries[1].settings[2].device, "8:16");
}

struct Bad {
  const char* text;
  const char* said;
};

class BadPlanFile : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPlanFile, IsRefusedWithItsPlace) {
  const auto plan = parse_plan_file(GetParam().text, "p");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().kind, ErrorKind::invalid);
  EXPECT_THAT(plan.error().message() + " | " + plan.error().hint, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, BadPlanFile,
    ::testing::Values(
        Bad{"", "is no plan"}, Bad{"- web", "p:1:1: is no plan"}, Bad{"limits: [", "is no YAML"},
        Bad{"limits: {}", "sets nothing"}, Bad{"reason: x", "sets nothing"},
        Bad{"limits:\n  web:\n", "p:2:3: 'web' has no limits"},
        Bad{"limit: {web: {cpus: 1}}", "p:1:1: 'limit' is unknown | did you mean 'limits'?"},
        Bad{"limits: {web: {cpus: 1}, web: {cpus: 2}}", "'web' is named twice"},
        Bad{"reason: a\nreason: b\nlimits: {web: {cpus: 1}}", "p:2:1: 'reason' is given twice"},
        Bad{"limits:\n  web:\n    cpu: 1\n", "p:3:5: cpu is no limit that weir knows | did you mean cpu.max"},
        Bad{"limits:\n  web:\n    cpus: lots\n", "p:3:11: "},
        Bad{"limits: {web: {cpus: {a: 1}}}", "must be one value"},
        Bad{"limits: {web: {cpus: []}}", "cpus has no value"},
        Bad{"limits: {web: {cpus: [[1]]}}", "must be one word"},
        Bad{"limits: {web: {cpus: 1, cpu.max: 2000}}", "cpu.max is given twice"},
        Bad{"limits: {[a]: {cpus: 1}}", "a target must be one value"}, Bad{"a: &a {b: *a}", "'a' is unknown"},
        Bad{"limits: {web: {cpus: 1}}\n---\nlimits: {db: {cpus: 1}}",
            "p:2:1: is not part of the document | a file is one document"},
        Bad{",", "p:1:1: is not part of the document"}, Bad{"reason:\n", "p:1:1: 'reason' has no value"}));

TEST(PlanFile, CanAskThatTheRuntimesAreTold) {
  for (const char* yes : {"yes", "true"}) {
    const auto plan = parse_plan_file(std::string("sync: ") + yes + "\nlimits:\n  web: {cpus: 1}\n", "p");
    ASSERT_TRUE(plan.has_value());
    EXPECT_TRUE(plan->sync);
  }
  EXPECT_FALSE(parse_plan_file("sync: no\nlimits:\n  web: {cpus: 1}\n", "p")->sync);
  EXPECT_FALSE(parse_plan_file("sync: perhaps\nlimits:\n  web: {cpus: 1}\n", "p"));
  EXPECT_FALSE(parse_plan_file("sync: [yes]\nlimits:\n  web: {cpus: 1}\n", "p"));
}

}  // namespace
}  // namespace weir::limits
