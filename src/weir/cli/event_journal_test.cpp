// SPDX-License-Identifier: MIT
#include "weir/cli/event_journal.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace weir::cli {
namespace {

std::string value_of(const std::vector<systemd::JournalField>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &systemd::JournalField::name);
  return found == fields.end() ? "missing" : found->value;
}

Event of_web(EventKind kind, EventState state = EventState::once) {
  Container web{.name = "web", .id = std::string(64, 'a'), .runtime = Runtime::docker, .cgroup = "/w"};
  return {.kind = kind, .state = state, .subject = Subject{std::move(web), CgroupId(1)}, .details = {}};
}

TEST(JournalFields, HaveWhatAPersonReadsAndWhatIsSearchedBy) {
  const auto fields = journal_fields(of_web(EventKind::container_started), "{}");
  EXPECT_EQ(value_of(fields, "MESSAGE"), "web: started");
  EXPECT_EQ(value_of(fields, "PRIORITY"), "6");
  EXPECT_EQ(value_of(fields, "WEIR_EVENT"), "container_started");
  EXPECT_EQ(value_of(fields, "CONTAINER_NAME"), "web");
  EXPECT_EQ(value_of(fields, "CONTAINER_ID"), "aaaaaaaaaaaa");
  EXPECT_EQ(value_of(fields, "CONTAINER_ID_FULL"), std::string(64, 'a'));
  EXPECT_EQ(value_of(fields, "IMAGE_NAME"), "missing");
  EXPECT_EQ(value_of(fields, "WEIR_JSON"), "{}");
}

TEST(JournalFields, AKillIsAnErrorAndAnEndIsGoodNews) {
  EXPECT_EQ(value_of(journal_fields(of_web(EventKind::oom_kill), ""), "PRIORITY"), "3");
  EXPECT_EQ(value_of(journal_fields(of_web(EventKind::cpu_throttled, EventState::begin), ""), "PRIORITY"),
            "4");
  EXPECT_EQ(value_of(journal_fields(of_web(EventKind::cpu_throttled, EventState::end), ""), "PRIORITY"), "6");
}

TEST(MessageId, IsDifferentForEachKind) {
  std::set<std::string_view> ids;
  for (std::size_t n = 0; n < kEventKinds; ++n) {
    const std::string_view id = message_id(static_cast<EventKind>(n));
    EXPECT_EQ(id.size(), 32U);
    EXPECT_TRUE(ids.insert(id).second);
  }
}

}  // namespace
}  // namespace weir::cli
