// SPDX-License-Identifier: MIT
#include "weir/control/samples.h"

#include <gmock/gmock.h>

#include "weir/base/json.h"

namespace weir::control {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SamplesTest : public ::testing::Test {
 protected:
  SamplesTest() {
    managed_.policy = policy::find_policy("step");
    managed_.parameters = policy::defaults_of(*managed_.policy);
  }
  void look(double use, double held, double limit = 0.5, double to = 0.5) {
    at_ += milliseconds(1000);
    Action action{.subject = {.container = {.name = "web"}, .cgroup_id = CgroupId(7)}, .managed = &managed_};
    action.view.limit = limit;
    action.view.hard = 2;
    action.view.use = use;
    action.view.held = held;
    action.decision = {.verdict = to > limit ? policy::Verdict::raise : policy::Verdict::keep,
                       .cause = policy::Cause::none,
                       .limit = to};
    samples_.see({action}, {.at = at_, .time = at_});
  }
  Managed managed_;
  Samples samples_;
  std::chrono::nanoseconds at_{0};
};

TEST_F(SamplesTest, TellWhatCameOfADecisionAndNothingOfItBefore) {
  look(0.5, 0.4, 0.5, 0.75);
  look(0.7, 0.1, 0.75, 0.75);
  for (int n = 0; n < 3; ++n) look(0.6, 0, 0.75, 0.75);
  EXPECT_THAT(samples_.take(), IsEmpty());
  look(0.6, 0, 0.75, 0.75);
  const auto lines = samples_.take();
  ASSERT_THAT(lines, SizeIs(1));
  const Json row = Json::parse(lines[0]);
  EXPECT_EQ(row["schema"], 1);
  EXPECT_EQ(row["view"]["use"], 0.5);
  EXPECT_EQ(row["decision"]["limit"], 0.75);
  EXPECT_EQ(row["decision"]["verdict"], "raise");
  EXPECT_EQ(row["parameters"]["margin"], 0.15);
  EXPECT_EQ(row["outcome"]["looks"], 5);
  EXPECT_NEAR(row["outcome"]["use"].get<double>(), (4 * 0.6 + 0.7) / 5, 1e-9);
  EXPECT_EQ(row["outcome"]["most_use"], 0.7);
  EXPECT_NEAR(row["outcome"]["held"].get<double>(), 0.02, 1e-9);
  EXPECT_EQ(row["outcome"]["limit"], 0.75);
}

TEST_F(SamplesTest, TellHowMuchMoreIsNeededThanALimitLets) {
  look(0.1, 0);
  look(0.5, 0.5);
  for (int n = 0; n < 4; ++n) look(0.25, 0);
  EXPECT_EQ(Json::parse(samples_.take().at(0))["outcome"]["needed"], 1.0);
}

TEST_F(SamplesTest, WaitUntilItIsKnownWhatWasHeldBackAtTheEnd) {
  managed_.parameters[1] = 10;  // calm: all of the outcome counts
  look(0.5, 0);
  for (int n = 0; n < 4; ++n) look(0.5, 0);
  look(0.5, 0.9, 0.5, 0.75);
  EXPECT_THAT(samples_.take(), IsEmpty());
  look(0.7, 0, 0.75, 0.75);
  const auto lines = samples_.take();
  ASSERT_THAT(lines, SizeIs(2));
  const Json row = Json::parse(lines[0]);
  EXPECT_EQ(row["outcome"]["needed"], 0.7);
  EXPECT_EQ(row["outcome"]["looks"], 5);
  EXPECT_EQ(row["outcome"]["most_use"], 0.5);
  EXPECT_EQ(row["outcome"]["limit"], 0.5);
}

TEST_F(SamplesTest, NeedWhatIsUsedUntilARaiseMayBeTakenBack) {
  managed_.parameters[1] = 2;
  look(0.5, 0);
  for (const double use : {0.5, 0.6, 0.55, 0.9, 0.9}) look(use, 0);
  const Json row = Json::parse(samples_.take().at(0));
  EXPECT_EQ(row["outcome"]["needed"], 0.6);
  EXPECT_EQ(row["outcome"]["most_use"], 0.9);
}

TEST_F(SamplesTest, WaitNoLongerThanThat) {
  look(0.5, 0);
  for (int n = 0; n < 7; ++n) look(0.5, 0.5);
  EXPECT_THAT(samples_.take(), IsEmpty());
  look(0.5, 0.5);
  EXPECT_EQ(Json::parse(samples_.take().at(0))["outcome"]["needed"], 1.0);
}

TEST_F(SamplesTest, AreNotMadeOfWhatEnded) {
  look(0.5, 0);
  samples_.ended(CgroupId(7));
  for (int n = 0; n < 5; ++n) look(0.5, 0);
  EXPECT_THAT(samples_.take(), IsEmpty());
}

TEST_F(SamplesTest, HaveEveryFieldOfTheView) {
  for (int n = 0; n < 7; ++n) look(0.5, 0);
  const auto lines = samples_.take();
  ASSERT_THAT(lines, ::testing::Not(IsEmpty()));
  const Json row = Json::parse(lines[0]);
  for (const policy::Field& field : policy::kFields)
    EXPECT_TRUE(row["view"].contains(field.name)) << field.name;
}

}  // namespace
}  // namespace weir::control
