// SPDX-License-Identifier: MIT
// An event and the line that tells it.
#include "weir/events/event_json.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace weir::events {
namespace {

using weir::testing::HasError;
using weir::testing::HasValue;

Event throttled() {
  return {.kind = EventKind::cpu_throttled,
          .state = EventState::end,
          .time = std::chrono::nanoseconds(1'795'305'600'123'456'789),
          .subject = Subject{.container = {.name = "web",
                                           .id = "4f2a",
                                           .runtime = Runtime::docker,
                                           .cgroup = "/system.slice/docker-4f2a.scope",
                                           .image = "nginx",
                                           .compose_project = "shop",
                                           .compose_service = "web"},
                             .cgroup_id = CgroupId(4242)},
          .details = {{"worst_percent", 97.25}, {"lasted_ms", std::int64_t{29'000}}, {"reason", "a \"b\""}}};
}

TEST(EventJson, IsReadAsItWasWritten) {
  EXPECT_THAT(parse_event_json(event_json(throttled())), HasValue(throttled()));
  const Event host{
      .kind = EventKind::oom_kill, .time = std::chrono::seconds(1), .details = {{"kills", std::int64_t{2}}}};
  EXPECT_THAT(parse_event_json(event_json(host)), HasValue(host));
}

TEST(EventJson, TakesHostileNamesAsTheyWereMadeSafe) {
  Event event = throttled();
  event.subject->container.name = "\x1b[2J\n\xff";
  EXPECT_EQ(parse_event_json(event_json(event))->subject->container.name, "\x1b[2J\n\uFFFD");
}

TEST(EventJson, IsRefusedWhereItIsNone) {
  for (const char* line :
       {"", "{", "[]", "7", "{}", R"({"event":"oom_kill"})", R"({"event":"oom_kill","time_ns":"1"})",
        R"({"event":"lost","lines":3})", R"({"event":7,"time_ns":1})"})
    EXPECT_THAT(parse_event_json(line), HasError(ErrorKind::invalid)) << line;
}

TEST(EventJson, TellsWhatWasLost) {
  EXPECT_EQ(parse_lost(R"({"schema":1,"event":"lost","lines":3})"), 3U);
  EXPECT_EQ(parse_lost(R"({"schema":1,"event":"lost","frames":4,"lines":3})"), 7U);
  EXPECT_EQ(parse_lost(R"({"schema":1,"event":"oom_kill","lines":3})"), std::nullopt);
  EXPECT_EQ(parse_lost("lost"), std::nullopt);
}

}  // namespace
}  // namespace weir::events
