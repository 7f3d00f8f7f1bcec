// SPDX-License-Identifier: MIT
#include "weir/control/trials.h"

#include <gmock/gmock.h>

namespace weir::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TrialsTest : public ::testing::Test {
 protected:
  TrialsTest() {
    managed_.policy = policy::find_policy("learned");
    managed_.parameters = policy::defaults_of(*managed_.policy);
  }
  [[nodiscard]] Moment moment() const { return {.at = at_, .time = at_}; }
  [[nodiscard]] Action action(double limit) const {
    Action action{.subject = {.container = {.name = "web"}, .cgroup_id = CgroupId(7)}, .managed = &managed_};
    action.view.limit = limit;
    action.view.hard = 2;
    return action;
  }
  /// A raise from half a CPU, held back for 40 % of the time.
  std::vector<Event> raise(double suggested, double step_would, MlMode mode = MlMode::active) {
    Action raised = action(0.5);
    raised.view.held = 0.4;
    raised.decision.limit = mode == MlMode::shadow ? step_would : suggested;
    raised.suggestion = Suggested{.mode = mode, .model = "m1", .limit = suggested, .step_would = step_would};
    return trials_.begin(raised, moment());
  }
  /// Looks until its outcome is over.
  std::vector<Event> outcome(double use, double held) {
    std::vector<Event> events;
    for (int n = 0; n < 26; ++n) {
      at_ += milliseconds(200);
      Action look = action(1);
      look.view.use = use;
      look.view.held = held;
      for (Event& event : trials_.see({look}, moment())) events.push_back(std::move(event));
    }
    return events;
  }
  static double number(const Event& event, std::string_view name) {
    for (const auto& [key, value] : event.details)
      if (key == name) return std::get<double>(value);
    ADD_FAILURE() << name;
    return 0;
  }

  Managed managed_;
  Trials trials_;
  std::chrono::nanoseconds at_{seconds(1)};
};

TEST_F(TrialsTest, ARaiseThatEndedTheWaitingWasEffective) {
  raise(1, 0.75);
  const auto events = outcome(0.8, 0);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::ml_effective);
  EXPECT_DOUBLE_EQ(number(events[0], "held_before"), 0.4);
  EXPECT_DOUBLE_EQ(number(events[0], "held_after"), 0);
  EXPECT_DOUBLE_EQ(number(events[0], "needed"), 0.8);
  EXPECT_THAT(outcome(0.8, 0), IsEmpty());
}

TEST_F(TrialsTest, OneThatLeftItWaitingWasNoImprovement) {
  raise(0.75, 0.75);
  const auto events = outcome(0.75, 0.5);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::ml_no_improvement);
  EXPECT_DOUBLE_EQ(number(events[0], "needed"), 1.5);
}

TEST_F(TrialsTest, OneThatIsRaisedAgainEndsThere) {
  raise(0.75, 0.75);
  at_ += milliseconds(400);
  Action look = action(0.75);
  look.view.use = 0.75;
  look.view.held = 0.5;
  EXPECT_THAT(trials_.see({look}, moment()), IsEmpty());
  const auto events = raise(1, 1);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].kind, EventKind::ml_no_improvement);
}

TEST_F(TrialsTest, InShadowTheSuggestionIsJudgedByWhatWasNeeded) {
  raise(1.5, 0.75, MlMode::shadow);
  EXPECT_EQ(outcome(0.75, 0.4).at(0).kind, EventKind::ml_effective);  // 1.25 was needed
  raise(1, 0.75, MlMode::shadow);
  EXPECT_EQ(outcome(0.75, 0.4).at(0).kind, EventKind::ml_no_improvement);
}

TEST_F(TrialsTest, AModelThatLosesMoreThanStepIsNotAskedAnyMore) {
  for (std::size_t n = 0; n < Trials::kLeast; ++n) {
    EXPECT_FALSE(trials_.verdict("m1", moment()).has_value());
    raise(2, 0.75);
    outcome(0.6, 0);  // far less than the model said
  }
  const auto verdict = trials_.verdict("m1", moment());
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->kind, EventKind::ml_fallback);
  EXPECT_GT(number(*verdict, "loss_model"), number(*verdict, "loss_step"));
  trials_.start_again();
  EXPECT_FALSE(trials_.verdict("m1", moment()).has_value());
}

TEST_F(TrialsTest, AModelThatSparesWaitingIsKept) {
  for (std::size_t n = 0; n < 2 * Trials::kLeast; ++n) {
    raise(1.3, 0.75);
    outcome(1.2, 0);
  }
  EXPECT_FALSE(trials_.verdict("m1", moment()).has_value());
}

TEST_F(TrialsTest, AContainerThatEndsHasNoOutcome) {
  raise(1, 0.75);
  trials_.ended(CgroupId(7));
  EXPECT_THAT(outcome(0.8, 0), IsEmpty());
}

}  // namespace
}  // namespace weir::control
