// SPDX-License-Identifier: MIT
#include "weir/cli/guard_text.h"

#include <gmock/gmock.h>

namespace weir::cli {
namespace {

using limits::WatchEvent;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

WatchEvent event(WatchEvent::Kind kind) {
  return {.kind = kind,
          .time = std::chrono::seconds(1'700'000'000),
          .container = {.name = "web", .cgroup = "/system.slice/web"},
          .wanted = {cgroup::Knob::cpu_max, "", "53000 100000"},
          .found = {cgroup::Knob::cpu_max, "", "54000 100000"},
          .by = limits::Writer{.pid = 1, .uid = 0, .comm = "systemd", .cgroup = "/init.scope"},
          .error = {},
          .after = std::chrono::milliseconds(3)};
}

TEST(GuardText, SaysWhoChangedWhatAndWhatBecameOfIt) {
  EXPECT_THAT(guard_text(event(WatchEvent::Kind::reapplied)),
              EndsWith("web: cpu.max 0.54 cpus (54000/100000) by systemd (pid 1, /init.scope); 0.53 cpus "
                       "(53000/100000) again"));
  EXPECT_THAT(
      guard_text(event(WatchEvent::Kind::yielded)),
      EndsWith("0.53 cpus (53000/100000) -> 0.54 cpus (54000/100000) by systemd (pid 1, /init.scope); "
               "left so"));
}

TEST(GuardText, SaysSomeoneWhereTheWriterWasNotSeen) {
  WatchEvent unseen = event(WatchEvent::Kind::yielded);
  unseen.by.reset();
  EXPECT_THAT(guard_text(unseen), EndsWith("by someone; left so"));
  EXPECT_FALSE(guard_json(unseen).contains("by"));
}

TEST(GuardText, BytesThatAContainerChoseAreHarmless) {
  WatchEvent hostile = event(WatchEvent::Kind::reapplied);
  hostile.container.name = "we\nb\x1b[2J\xff";
  hostile.by->comm = "\x1b]0;x\a\xe2\x80\xae";
  hostile.by->cgroup = "/a\r\nb";
  for (const char* bad : {"\x1b", "\n", "\r", "\a", "\xff", "\xe2\x80\xae"})
    EXPECT_THAT(guard_text(hostile), Not(HasSubstr(bad)));
  const std::string line = dump_json(guard_json(hostile), -1);
  for (const char* bad : {"\x1b", "\n", "\r", "\xff"}) EXPECT_THAT(line, Not(HasSubstr(bad)));
}

}  // namespace
}  // namespace weir::cli
