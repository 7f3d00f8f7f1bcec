// SPDX-License-Identifier: MIT
#include "weir/limits/history.h"

#include <gtest/gtest.h>

namespace weir::limits {
namespace {

Change change(std::uint64_t epoch, std::string before, std::string after, Phase phase = Phase::done,
              std::uint64_t cgroup = 7) {
  return {.id = {.epoch = epoch, .index = 0},
          .phase = phase,
          .cgroup = "/web",
          .cgroup_id = CgroupId(cgroup),
          .before = {cgroup::Knob::cpu_weight, "", std::move(before)},
          .after = {cgroup::Knob::cpu_weight, "", std::move(after)}};
}

TEST(Latest, TakesTheLastRecordOfEachChange) {
  const auto changes = latest({change(1, "100", "200", Phase::intent), change(2, "200", "300", Phase::intent),
                               change(1, "100", "200", Phase::done), change(2, "200", "300", Phase::undone)});
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].phase, Phase::done);
  EXPECT_EQ(changes[1].phase, Phase::undone);
}

TEST(Chains, HoldOnlyWhatIsInForce) {
  std::vector<Change> changes = {change(1, "100", "200"), change(2, "200", "300", Phase::undone),
                                 change(3, "200", "400", Phase::intent),
                                 change(4, "100", "5", Phase::done, 8)};
  const auto found = chains(changes);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found.begin()->second.size(), 2U);
  EXPECT_EQ(found.begin()->second.back()->id.epoch, 3U);
}

TEST(Compact, KeepsTheFirstValueOfALongChain) {
  std::vector<Change> changes;
  for (std::uint64_t n = 1; n <= 100; ++n)
    changes.push_back(change(n, std::to_string(n), std::to_string(n + 1)));
  const auto kept = compact(changes, {.steps = 3, .ended = 0});
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].before.text, "1");
  EXPECT_EQ(kept[0].after.text, "99");
  EXPECT_EQ(kept[1].before.text, "99");
  EXPECT_EQ(kept[2].after.text, "101");
}

TEST(Compact, MergesChangesOfOneReasonBeforeOthers) {
  std::vector<Change> changes = {change(1, "0", "1")};
  for (std::uint64_t n = 2; n <= 50; ++n) {
    changes.push_back(change(n, std::to_string(n - 1), std::to_string(n)));
    changes.back().reason = "weir control";
  }
  const auto kept = compact(changes, {.steps = 3, .ended = 0});
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].after.text, "1");
  EXPECT_EQ(kept[1].before.text, "1");
  EXPECT_EQ(kept[1].after.text, "49");
}

TEST(Compact, KeepsApartWhatSomeoneElseSetInBetween) {
  std::vector<Change> changes;
  for (std::uint64_t n = 1; n <= 50; ++n)
    changes.push_back(change(n, n == 20 ? "7000" : std::to_string(n), std::to_string(n + 1)));
  const auto kept = compact(changes, {.steps = 3, .ended = 0});
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].before.text, "1");
  EXPECT_EQ(kept[1].before.text, "7000");
  const auto least = compact(kept, {.steps = 2, .ended = 0});
  ASSERT_EQ(least.size(), 2U);
  EXPECT_EQ(least[0].before.text, "1");
  EXPECT_EQ(least[1].before.text, "7000");
}

TEST(Chains, AreBrokenByOthersButNotByAKillBeforeTheWrite) {
  EXPECT_FALSE(others_between(change(1, "100", "200"), change(2, "200", "300")));
  EXPECT_TRUE(others_between(change(1, "100", "200"), change(2, "250", "300")));
  EXPECT_TRUE(others_between(change(1, "100", "200"), change(2, "100", "300")));
  EXPECT_FALSE(others_between(change(1, "100", "200", Phase::intent), change(2, "100", "300")));
  EXPECT_TRUE(others_between(change(1, "100", "200", Phase::intent), change(2, "250", "300")));
}

TEST(Compact, KeepsTheNewestOfWhatEnded) {
  const auto kept = compact({change(1, "1", "2", Phase::undone), change(2, "1", "2", Phase::failed),
                             change(3, "1", "2", Phase::gone), change(4, "1", "2")},
                            {.steps = 1, .ended = 2});
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].id.epoch, 2U);
  EXPECT_EQ(kept[2].id.epoch, 4U);
}

}  // namespace
}  // namespace weir::limits
