// SPDX-License-Identifier: MIT
// `weir ls` and bare `weir` as people see them, at 80 and 200 columns, with names that containers chose to do
// harm.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/fake_cgroupfs.h"
#include "support/golden.h"

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/look.h"
#include "weir/cli/ls_table.h"
#include "weir/cli/overview.h"

namespace weir::cli {
namespace {

using testing::expect_golden;
using testing::FakeCgroupfs;

std::string pressure(std::string_view some, std::string_view full = "0.00") {
  return fmt::format(
      "some avg10={0} avg60=0.00 avg300=0.00 total=1\nfull avg10={1} avg60=0.00 avg300=0.00 total=1\n", some,
      full);
}

Container container(std::string name, Runtime runtime, std::string cgroup) {
  Container one;
  one.name = std::move(name);
  one.runtime = runtime;
  one.cgroup = std::move(cgroup);
  return one;
}

/// A host with one of each trouble, and the windows in which they were seen.
std::vector<Row> rows() {
  FakeCgroupfs fs({
      {"web",
       {{"cpu.max", "50000 100000\n"},
        {"cpu.stat", "usage_usec 1000000\nnr_periods 100\nnr_throttled 10\nthrottled_usec 100\n"},
        {"memory.max", "536870912\n"},
        {"memory.current", "134217728\n"},
        {"pids.current", "7\n"},
        {"cpu.pressure", pressure("61.00", "40.00")}}},
      {"pods", {{"cpu.max", "20000 100000\n"}}},
      {"pods/app",
       {{"cpu.stat", "usage_usec 500000\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n"},
        {"memory.current", "9437184\n"}}},
      {"db",
       {{"memory.high", "1073741824\n"},
        {"memory.current", "1073000000\n"},
        {"memory.pressure", pressure("12.50", "3.00")},
        {"memory.events", "low 0\nhigh 812\nmax 0\noom 0\noom_kill 0\n"}}},
      {"batch",
       {{"cpu.pressure", pressure("8.25")},
        {"cpu.stat", "usage_usec 9000000\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n"}}},
      {"killed",
       {{"memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n"},
        {"memory.max", "67108864\n"},
        {"memory.current", "1048576\n"}}},
      {"evil", {}},
      {"long", {}},
      {"idle", {}},
  });
  std::vector<Container> all = {
      container("web", Runtime::docker, "/web"),
      container("shop/app-0/main", Runtime::containerd, "/pods/app"),
      container("db", Runtime::podman, "/db"),
      container("batch", Runtime::lxc, "/batch"),
      container("killed", Runtime::docker, "/killed"),
      container("\x1b[31mred\n\xff \xe2\x80\xae"
                "evil",
                Runtime::docker, "/evil"),
      container(std::string(4096, 'n'), Runtime::docker, "/long"),
      container("cron.service", Runtime::systemd, "/idle"),
      container("ended", Runtime::docker, "/ended"),
  };
  const auto root = fs.root();
  std::vector<Snapshot> snapshots = look_at(*root, std::move(all), std::chrono::nanoseconds(0));
  // The second reading, as the kernel would have it a second later.
  for (Snapshot& snapshot : snapshots) {
    const auto& cpu = snapshot.reading.usage.cpu;
    Later later{.cpu = {.id = snapshot.reading.id,
                        .cpu = cpu,
                        .throttled_local = snapshot.reading.usage.throttled_local},
                .window = std::chrono::seconds(1)};
    const std::string& name = snapshot.container.name;
    const auto add = [&](std::int64_t used, std::uint64_t periods, std::uint64_t throttled,
                         std::int64_t local) {
      later.cpu.cpu.usage = *cpu.usage + cgroup::Micros(used);
      later.cpu.cpu.nr_periods = *cpu.nr_periods + periods;
      later.cpu.cpu.nr_throttled = *cpu.nr_throttled + throttled;
      later.cpu.throttled_local = *snapshot.reading.usage.throttled_local + cgroup::Micros(local);
    };
    if (name == "web") add(500'000, 10, 6, 610'000);
    if (name == "shop/app-0/main") add(199'600, 0, 0, 330'000);
    if (name == "batch") add(1'870'000, 0, 0, 0);
    snapshot.later = later;
  }
  return make_rows(std::move(snapshots));
}

std::string ls(std::size_t columns) {
  return make_table(rows(), *choose_columns(""), Chosen::standard).render(columns, false);
}

void expect_fits(const std::string& text, std::size_t columns) {
  for (const std::string_view line : split(text, '\n')) EXPECT_LE(display_width(line), columns) << line;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(LsGolden, At80Columns) {
  expect_fits(ls(80), 80);
  expect_golden("ls_80.txt", ls(80));
}

TEST(LsGolden, At200Columns) {
  expect_fits(ls(200), 200);
  expect_golden("ls_200.txt", ls(200));
}

TEST(LsGolden, ColumnsThatWereAskedFor) {
  expect_golden("ls_columns.txt",
                make_table(rows(), *choose_columns("name,cpu.limit,cpu.holder,memory.high,events.high,why"),
                           Chosen::by_user)
                    .render(100, false));
}

Overview overview_of_a_bad_day() {
  Overview seen;
  seen.rows = rows();
  seen.host = HostState{.cpus = 2, .load = 5.25, .busy = 0.97, .cpu = {}, .memory = {}, .io = {}};
  seen.host.cpu.some = cgroup::PressureLine{.avg10 = 42};
  seen.host.memory.some = cgroup::PressureLine{.avg10 = 1};
  seen.kills = std::vector<DatedKill>{{.kill = {.since_boot = {},
                                                .cgroup = "/killed/x",
                                                .limit_cgroup = "/killed",
                                                .comm = "st\x1bress",
                                                .pid = Pid(4242)},
                                       .ago = std::chrono::minutes(12)}};
  limits::Listed change;
  change.change.name = "web";
  change.change.before = {cgroup::Knob::cpu_max, "", "max 100000"};
  change.change.after = {cgroup::Knob::cpu_max, "", "50000 100000"};
  seen.changes.push_back(std::move(change));
  return seen;
}

TEST(OverviewGolden, OfABadDay) {
  const std::string text = overview_text(overview_of_a_bad_day(), 80, false);
  expect_fits(text, 80);
  expect_golden("overview_80.txt", text);
}

TEST(OverviewGolden, OfAQuietHost) {
  Overview seen;
  seen.host.cpus = 4;
  seen.kills = std::vector<DatedKill>();
  expect_golden("overview_quiet.txt", overview_text(seen, 80, false));
}

}  // namespace
}  // namespace weir::cli
