// SPDX-License-Identifier: MIT
#include "weir/limits/write_queue.h"

#include <gmock/gmock.h>

#include <vector>

namespace weir::limits {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WriteQueueTest : public ::testing::Test {
 protected:
  using Queue = WriteQueue<int>;
  void ask(int knob, const char* text, Urgency urgency = Urgency::normal) {
    queue_.ask(knob, text, urgency, now_ += std::chrono::milliseconds(1));
  }
  std::vector<std::string> order() {
    std::vector<std::string> texts;
    queue_.sift(
        [&](int, const PendingWrite& pending) {
          texts.push_back(pending.text);
          return Queue::Verdict::leave;
        },
        [](int, const PendingWrite&) { FAIL(); });
    return texts;
  }
  Queue queue_;
  std::chrono::nanoseconds now_{0};
};

TEST_F(WriteQueueTest, KeepsTheOrderOfRequests) {
  ask(3, "c");
  ask(1, "a");
  ask(2, "b");
  EXPECT_THAT(order(), ElementsAre("c", "a", "b"));
}

TEST_F(WriteQueueTest, TheLastValueWinsInTheFirstOnesPlace) {
  ask(1, "a");
  ask(2, "b");
  ask(1, "A");
  EXPECT_THAT(order(), ElementsAre("A", "b"));
  const auto taken = queue_.take(1);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->merged, 1U);
  EXPECT_EQ(taken->since, std::chrono::milliseconds(1));
}

TEST_F(WriteQueueTest, UrgentOnesComeFirst) {
  ask(1, "a");
  ask(2, "b");
  ask(3, "c", Urgency::urgent);
  ask(4, "d", Urgency::urgent);
  EXPECT_THAT(order(), ElementsAre("c", "d", "a", "b"));
}

TEST_F(WriteQueueTest, ARequestBecomesUrgentAndStaysSo) {
  ask(1, "a");
  EXPECT_FALSE(queue_.urgent_waits());
  ask(2, "b");
  ask(2, "B", Urgency::urgent);
  ask(2, "BB");
  EXPECT_THAT(order(), ElementsAre("BB", "a"));
  EXPECT_TRUE(queue_.urgent_waits());
}

TEST_F(WriteQueueTest, WhatIsTakenIsGone) {
  ask(1, "a");
  EXPECT_TRUE(queue_.take(1));
  EXPECT_FALSE(queue_.take(1));
  EXPECT_THAT(order(), IsEmpty());
}

TEST_F(WriteQueueTest, SiftingTakesOutWhatIsJudgedDueAndStopsWhenTold) {
  for (const int knob : {1, 2, 3, 4}) ask(knob, "v");
  std::vector<int> out;
  queue_.sift(
      [](int knob, const PendingWrite&) {
        return knob == 4 ? Queue::Verdict::stop : knob == 2 ? Queue::Verdict::leave : Queue::Verdict::take;
      },
      [&](int knob, const PendingWrite&) { out.push_back(knob); });
  EXPECT_THAT(out, ElementsAre(1, 3));
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_FALSE(queue_.take(3));
}

TEST_F(WriteQueueTest, WhatIsPutBackHasItsOldPlace) {
  ask(1, "a");
  ask(2, "b");
  PendingWrite first = *queue_.take(1);
  ask(3, "c");
  queue_.put_back(1, std::move(first));
  EXPECT_THAT(order(), ElementsAre("a", "b", "c"));
}

TEST_F(WriteQueueTest, ANewerRequestStandsForWhatIsPutBack) {
  ask(1, "old");
  PendingWrite first = *queue_.take(1);
  ask(1, "new");
  queue_.put_back(1, std::move(first));
  EXPECT_THAT(order(), ElementsAre("new"));
  EXPECT_EQ(queue_.take(1)->merged, 1U);
}

}  // namespace
}  // namespace weir::limits
