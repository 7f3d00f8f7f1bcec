// SPDX-License-Identifier: MIT
#include "weir/latency/stages.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::latency {
namespace {

limit_write_event event(std::uint32_t kind, Nanos time, std::uint32_t tgid = 1, std::int64_t value = 0) {
  return {.time_ns = time, .value = value, .kind = kind, .tgid = tgid};
}

const Call kCall{.start_ns = 1000, .end_ns = 1500, .writer = std::nullopt};

TEST(ReadCall, CountsFromTheStartOfTheCall) {
  const std::vector<limit_write_event> events{event(LIMIT_WRITE_ENTRY, 1100), event(LIMIT_WRITE_DONE, 1300)};
  const StageTimes times = read_call(kCall, events);
  EXPECT_EQ(at(times, Stage::call), 500U);
  EXPECT_EQ(at(times, Stage::write_entry), 100U);
  EXPECT_EQ(at(times, Stage::handler_done), 300U);
  EXPECT_EQ(at(times, Stage::first_effect), std::nullopt);
}

TEST(ReadCall, TakesTheFirstOfSeveralWrites) {
  const std::vector<limit_write_event> events{event(LIMIT_WRITE_ENTRY, 1400), event(LIMIT_WRITE_DONE, 1450),
                                              event(LIMIT_WRITE_ENTRY, 1100), event(LIMIT_WRITE_DONE, 1200)};
  EXPECT_EQ(at(read_call(kCall, events), Stage::handler_done), 200U);
}

TEST(ReadCall, PassesOverWhatCameBeforeTheCallAndWritesThatFailed) {
  const std::vector<limit_write_event> events{event(LIMIT_WRITE_ENTRY, 900), event(LIMIT_WRITE_ENTRY, 1100),
                                              event(LIMIT_WRITE_DONE, 1200, 1, -16),
                                              event(LIMIT_WRITE_DONE, 1400)};
  const StageTimes times = read_call(kCall, events);
  EXPECT_EQ(at(times, Stage::write_entry), 100U);
  EXPECT_EQ(at(times, Stage::handler_done), 400U);
}

TEST(ReadCall, SeesAWriteThatComesAfterTheReply) {
  const std::vector<limit_write_event> events{event(LIMIT_WRITE_ENTRY, 1600), event(LIMIT_WRITE_DONE, 1700)};
  EXPECT_EQ(at(read_call(kCall, events), Stage::handler_done), 700U);
}

TEST(ReadCall, OfADirectMethodTakesOnlyItsOwnWrites) {
  const Call call{.start_ns = 1000, .end_ns = 1500, .writer = 7};
  const std::vector<limit_write_event> events{
      event(LIMIT_WRITE_ENTRY, 1050, 1), event(LIMIT_WRITE_ENTRY, 1100, 7), event(LIMIT_WRITE_DONE, 1200, 7)};
  EXPECT_EQ(at(read_call(call, events), Stage::write_entry), 100U);
}

TEST(ReadCall, InventsNothing) {
  const StageTimes times = read_call(kCall, {});
  EXPECT_EQ(at(times, Stage::write_entry), std::nullopt);
  EXPECT_EQ(at(times, Stage::handler_done), std::nullopt);
}

TEST(FirstThrottle, DoesNotTakeAThrottleByTheOldQuota) {
  const std::vector<limit_write_event> events{event(LIMIT_WRITE_ENTRY, 1100), event(LIMIT_THROTTLED, 1150),
                                              event(LIMIT_WRITE_DONE, 1300), event(LIMIT_THROTTLED, 9000)};
  const FirstEffect effect = first_throttle(kCall, read_call(kCall, events), events);
  EXPECT_EQ(effect.at_ns, 8000U);
}

TEST(FirstRun, NeedsAThrottleBeforeTheWrite) {
  const std::vector<limit_write_event> events{event(LIMIT_THROTTLED, 500), event(LIMIT_RAN, 800),
                                              event(LIMIT_WRITE_ENTRY, 1100), event(LIMIT_RAN, 1200)};
  const FirstEffect effect = first_run(kCall, read_call(kCall, events), events);
  EXPECT_EQ(effect.at_ns, std::nullopt);
  EXPECT_EQ(effect.why, FirstEffect::Why::not_throttled_before);
}

TEST(FirstRun, MayComeBeforeTheHandlerIsDone) {
  const std::vector<limit_write_event> events{event(LIMIT_THROTTLED, 500), event(LIMIT_WRITE_ENTRY, 1100),
                                              event(LIMIT_RAN, 1200), event(LIMIT_WRITE_DONE, 1300)};
  EXPECT_EQ(first_run(kCall, read_call(kCall, events), events).at_ns, 200U);
}

TEST(FirstRun, IsNotYetThereWithoutAnEvent) {
  const std::vector<limit_write_event> events{event(LIMIT_THROTTLED, 500), event(LIMIT_WRITE_ENTRY, 1100)};
  EXPECT_EQ(first_run(kCall, read_call(kCall, events), events).why, FirstEffect::Why::not_yet);
}

TEST(FirstReclaim, CountsFromTheWriteOn) {
  const std::vector<limit_write_event> events{event(LIMIT_RECLAIM, 1050), event(LIMIT_WRITE_ENTRY, 1100),
                                              event(LIMIT_RECLAIM, 1150)};
  EXPECT_EQ(first_reclaim(kCall, read_call(kCall, events), events).at_ns, 150U);
}

}  // namespace
}  // namespace weir::latency
