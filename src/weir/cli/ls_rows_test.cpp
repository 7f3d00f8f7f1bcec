// SPDX-License-Identifier: MIT
#include "weir/cli/ls_rows.h"

#include <gmock/gmock.h>

#include "weir/base/json.h"
#include "weir/cli/ls_json.h"
#include "weir/cli/ls_table.h"
#include "weir/cli/overview.h"

namespace weir::cli {
namespace {

using cgroup::Micros;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Snapshot snapshot(std::string name) {
  Snapshot one;
  one.container.name = name;
  one.container.runtime = Runtime::docker;
  one.container.cgroup = "/" + name;
  one.reading.id = CgroupId(7);
  return one;
}

Snapshot with_window(Snapshot one, std::int64_t used, std::uint64_t periods, std::uint64_t throttled,
                     std::int64_t local) {
  one.reading.usage.cpu = {.usage = Micros(0), .nr_periods = 0, .nr_throttled = 0, .throttled = Micros(0)};
  one.reading.usage.throttled_local = Micros(0);
  one.later = Later{.cpu = {.id = one.reading.id,
                            .cpu = {.usage = Micros(used),
                                    .nr_periods = periods,
                                    .nr_throttled = throttled,
                                    .throttled = Micros(0)},
                            .throttled_local = Micros(local)},
                    .window = std::chrono::seconds(1)};
  return one;
}

cgroup::Pressure some(double avg10) { return {.some = cgroup::PressureLine{.avg10 = avg10}, .full = {}}; }

TEST(Rows, AreRatesOverTheWindow) {
  const auto rows = make_rows({with_window(snapshot("web"), 250'000, 10, 4, 330'000)});
  EXPECT_DOUBLE_EQ(*rows[0].cpu_percent, 25);
  EXPECT_DOUBLE_EQ(*rows[0].throttled_periods, 0.4);
  EXPECT_DOUBLE_EQ(*rows[0].throttled_time, 0.33);
  EXPECT_EQ(rows[0].cause, Cause::own_cpu_limit);
  EXPECT_DOUBLE_EQ(rows[0].suffering, 40);
}

TEST(Rows, HaveNoRatesWithoutAWindow) {
  Snapshot one = snapshot("web");
  one.reading.usage.cpu = {.usage = Micros(5), .nr_periods = 100, .nr_throttled = 25, .throttled = Micros(9)};
  const auto rows = make_rows({one});
  EXPECT_EQ(rows[0].cpu_percent, std::nullopt);
  EXPECT_EQ(rows[0].throttled_time, std::nullopt);
  EXPECT_DOUBLE_EQ(*rows[0].throttled_periods, 0.25);
}

TEST(Rows, KeepNotCountedApartFromZero) {
  const auto rows = make_rows({snapshot("web")});
  EXPECT_EQ(rows[0].throttled_periods, std::nullopt);
  EXPECT_EQ(rows[0].cause, Cause::none);
  const Json json = to_json(rows[0]);
  EXPECT_TRUE(json["usage"]["memory_bytes"].is_null());
  EXPECT_TRUE(json["usage"]["cpu_percent"].is_null());
  EXPECT_TRUE(json["usage"]["memory_events"]["oom_kill"].is_null());
  EXPECT_TRUE(json["usage"]["pressure"]["cpu"]["some"].is_null());
  EXPECT_TRUE(json["limits"]["cpu.max"].is_null());
  EXPECT_TRUE(json["effective"]["memory.max"].is_null());
  EXPECT_TRUE(json["id"].is_null());
}

TEST(Rows, HaveNoRateWhereACounterWentBack) {
  Snapshot one = with_window(snapshot("web"), 5, 0, 0, 0);
  one.reading.usage.cpu.usage = Micros(10);
  EXPECT_EQ(make_rows({one})[0].cpu_percent, std::nullopt);
}

TEST(Rows, BlameTheAncestorForWhatTheirOwnCountersDoNotShow) {
  Snapshot one = with_window(snapshot("web"), 200'000, 0, 0, 700'000);
  one.reading.held.cpu_max = cgroup::Effective<cgroup::CpuMax>{{.quota = Limit(Micros(20'000))}, "/pod"};
  const auto rows = make_rows({one});
  EXPECT_EQ(rows[0].cause, Cause::ancestor_cpu_limit);
  EXPECT_EQ(cause_text(rows[0]), "cpu.max of /pod");
}

TEST(Rows, DoNotTakeThrottlingForContention) {
  Snapshot one = with_window(snapshot("web"), 200'000, 10, 6, 600'000);
  one.reading.pressures.cpu = some(62);
  EXPECT_EQ(make_rows({one})[0].cause, Cause::own_cpu_limit);
  Snapshot other = with_window(snapshot("other"), 200'000, 0, 0, 0);
  other.reading.pressures.cpu = some(62);
  EXPECT_EQ(make_rows({other})[0].cause, Cause::cpu_contention);
}

TEST(Rows, TellAMemoryLimitFromAHostShortOfMemory) {
  Snapshot one = snapshot("web");
  one.reading.pressures.memory = some(20);
  EXPECT_EQ(make_rows({one})[0].cause, Cause::memory_pressure);
  one.reading.usage.memory = Bytes(95);
  one.reading.held.memory_high = cgroup::Effective<Limit<Bytes>>{Limit(Bytes(100)), "/pod"};
  const auto rows = make_rows({one});
  EXPECT_EQ(rows[0].cause, Cause::memory_limit);
  EXPECT_EQ(cause_text(rows[0]), "memory limit of /pod");
}

TEST(Rows, AreSortedBySufferingThenUseThenName) {
  Snapshot worst = snapshot("worst");
  worst.reading.pressures.io = some(30);
  Snapshot killed = snapshot("killed");
  killed.reading.usage.memory_events.oom_kill = 1;
  std::vector<std::string> names;
  for (const Row& row :
       make_rows({snapshot("b"), snapshot("a"), with_window(snapshot("busy"), 9, 0, 0, 0), killed, worst}))
    names.push_back(row.container.name);
  EXPECT_THAT(names, ElementsAre("worst", "killed", "busy", "a", "b"));
}

TEST(Columns, UnknownOnesNameTheNearest) {
  const auto columns = choose_columns("name,throtled");
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().kind, ErrorKind::invalid);
  EXPECT_THAT(columns.error().hint, HasSubstr("throttled"));
}

TEST(Overloaded, IsNotSaidOfPressureThatLimitsMake) {
  HostState host{.cpus = 2, .load = 1.0, .busy = 0.3, .cpu = some(60), .memory = {}, .io = {}};
  EXPECT_THAT(overloaded(host), ElementsAre());
  host.busy = 0.98;
  EXPECT_THAT(overloaded(host), ElementsAre("cpu"));
  host.cpu = {};
  EXPECT_THAT(overloaded(host), ElementsAre());
}

TEST(NextCommand, CanBePastedWhateverTheNameIs) {
  Snapshot one = with_window(snapshot("web"), 1, 10, 9, 1);
  one.reading.held.cpu_max = cgroup::Effective<cgroup::CpuMax>{{.quota = Limit(Micros(50'000))}, "/web"};
  EXPECT_EQ(next_command(make_rows({one})), "weir set docker:web cpus=1 --dry-run");
  one.container.name = "a;reboot";
  EXPECT_EQ(next_command(make_rows({one})), "weir set 'docker:a;reboot' cpus=1 --dry-run");
  one.container.name = "\x1b[31m";
  EXPECT_EQ(next_command(make_rows({one})), "weir set /web cpus=1 --dry-run");
  EXPECT_EQ(next_command({}), "weir ls --all");
}

}  // namespace
}  // namespace weir::cli
