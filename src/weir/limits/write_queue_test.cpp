// SPDX-License-Identifier: MIT
#include "weir/limits/write_queue.h"

#include <gmock/gmock.h>

#include <vector>

namespace weir::limits {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Place cpu_max(std::uint64_t cgroup) { return {CgroupId(cgroup), cgroup::Knob::cpu_max, ""}; }

class WriteQueueTest : public ::testing::Test {
 protected:
  void ask(std::uint64_t cgroup, const char* text, Urgency urgency = Urgency::normal) {
    queue_.ask(cpu_max(cgroup), text, urgency, now_ += std::chrono::milliseconds(1));
  }
  std::vector<std::string> order() {
    std::vector<std::string> texts;
    queue_.each([&](const Place&, const PendingWrite& pending) {
      texts.push_back(pending.text);
      return true;
    });
    return texts;
  }
  WriteQueue queue_;
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
  const auto taken = queue_.take(cpu_max(1));
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
  ask(2, "b");
  ask(2, "B", Urgency::urgent);
  ask(2, "BB");
  EXPECT_THAT(order(), ElementsAre("BB", "a"));
}

TEST_F(WriteQueueTest, OtherKnobsOfACgroupStandApart) {
  ask(1, "a");
  queue_.ask({CgroupId(1), cgroup::Knob::cpu_weight, ""}, "w", Urgency::normal, now_);
  EXPECT_EQ(queue_.size(), 2U);
}

TEST_F(WriteQueueTest, WhatIsTakenIsGone) {
  ask(1, "a");
  EXPECT_TRUE(queue_.take(cpu_max(1)));
  EXPECT_FALSE(queue_.take(cpu_max(1)));
  EXPECT_THAT(order(), IsEmpty());
}

}  // namespace
}  // namespace weir::limits
