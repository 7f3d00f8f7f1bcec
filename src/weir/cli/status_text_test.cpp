// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "weir/cli/status.h"

namespace weir::cli {
namespace {

using limits::SyncState;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

limits::Listed limit(const char* name, seconds restore_at = seconds(0)) {
  return {.change = {.phase = limits::Phase::done,
                     .restore_at = restore_at,
                     .name = name,
                     .before = {cgroup::Knob::cpu_max, "", "max 100000"},
                     .after = {cgroup::Knob::cpu_max, "", "150000 100000"}},
          .standing = limits::Standing::in_force};
}

TEST(StatusText, IsALineForEachSectionWhereNothingGoesOn) {
  EXPECT_EQ(status_text({}, 80, false),
            "limits  0 in force\n"
            "sync    0 told and agreed, 0 pending, 0 failed\n"
            "timers  none pending\n"
            "guard   does not run\n");
}

TEST(StatusText, SaysWhatNeedsAHand) {
  HostStatus status{.now = seconds(1000),
                    .limits = {limit("web"), limit("db", seconds(1588))},
                    .differing = {{.name = "db", .how = {"docker: CpuQuota is 60000, not 80000"}}},
                    .syncs = {{.subject = {.name = "web"},
                               .state = SyncState::failed,
                               .why = "docker cannot be told",
                               .notes = {"systemd keeps whole percents"},
                               .tries = 3},
                              {.subject = {.name = "c"}, .state = SyncState::pending, .time = seconds(998)}},
                    .guard = Pid(4242),
                    .damaged = 1};
  EXPECT_EQ(status_text(status, 80, false),
            "limits  2 in force; 1 container whose runtime says otherwise\n"
            "        db: docker: CpuQuota is 60000, not 80000\n"
            "sync    0 told and agreed, 1 pending, 1 failed\n"
            "        web: failed 3 times: docker cannot be told\n"
            "        web: weir sync tries again\n"
            "        web: systemd keeps whole percents\n"
            "        c: to be told for 2 s; weir sync does it now\n"
            "        1 damaged records were passed over\n"
            "timers  1 limit will be taken back\n"
            "        db: cpu.max back to max in 9 min 48 s\n"
            "guard   runs (pid 4242)\n");
}

TEST(StatusText, EscapesAndFits) {
  HostStatus status{.syncs = {{.subject = {.name = "a\x1b[31m"},
                               .state = SyncState::failed,
                               .why = "long " + std::string(40, 'x') + " " + std::string(40, 'y')}}};
  const std::string text = status_text(status, 80, false);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 80U) << text.substr(at, end - at);
    at = end + 1;
  }
}

}  // namespace
}  // namespace weir::cli
