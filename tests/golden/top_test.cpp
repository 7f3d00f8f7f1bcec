// SPDX-License-Identifier: MIT
// `weir top` as people see it, at the sizes of their terminals, with names that containers chose to do harm.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/golden.h"
#include <cstdlib>
#include <ctime>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/top_columns.h"
#include "weir/cli/top_details.h"
#include "weir/cli/top_draw.h"
#include "weir/cli/top_live.h"
#include "weir/cli/top_model.h"

namespace weir::cli {
namespace {

using testing::expect_golden;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kSecond = 1'000'000;

struct Play {
  std::string name;
  std::string image;
  Runtime runtime = Runtime::docker;
  double cpus = 0, throttled = 0, above = 0;
  std::uint64_t memory = 0, cpu_limit = kNoLimit, memory_limit = kNoLimit;
  double read = 0, written = 0;
  double cpu_some = 0, memory_some = 0, io_some = 0;
  std::uint64_t kills = 0;
};

std::uint64_t part(double share, std::uint64_t of) {
  return static_cast<std::uint64_t>(share * static_cast<double>(of));
}

/// The frame of second `at` of a host on which everything goes on as the plays say.
Frame frame(std::uint64_t at, const std::vector<Play>& plays) {
  Frame frame;
  frame.number = at;
  frame.at = std::chrono::seconds(at);
  frame.time = std::chrono::seconds(1'700'000'000 + at);
  const auto read = [&](Sample& sample) {
    sample.read_at.fill(static_cast<std::int64_t>(at) * 1'000'000'000);
  };
  read(frame.host);
  frame.host.set(Metric::cpu_usage, at * part(1.48, kSecond));
  frame.host.set(Metric::cpu_steal, at * part(0.08, kSecond));
  frame.host.set(Metric::cpu_limit, 4 * kSecond);
  frame.host.set(Metric::memory_current, 3'328'599'654);
  frame.host.set(Metric::memory_max_limit, 8'375'186'227);
  frame.host.set(Metric::memory_oom_kill, 2);
  frame.host.set(Metric::cpu_some, at * part(0.12, kSecond));
  frame.host.set(Metric::memory_some, 0);
  frame.host.set(Metric::io_some, at * part(0.03, kSecond));
  std::uint64_t id = 100;
  for (const Play& play : plays) {
    Subject subject;
    subject.container.name = play.name;
    subject.container.image = play.image;
    subject.container.runtime = play.runtime;
    subject.container.cgroup = fmt::format("/system.slice/{}.scope", id);
    subject.container.id = fmt::format("{:012x}", id);
    subject.cgroup_id = CgroupId(id++);
    Sample sample;
    read(sample);
    sample.set(Metric::cpu_usage, at * part(play.cpus, kSecond));
    sample.set(Metric::cpu_user, at * part(play.cpus * 0.75, kSecond));
    sample.set(Metric::cpu_system, at * part(play.cpus * 0.25, kSecond));
    sample.set(Metric::cpu_periods, at * (play.cpu_limit == kNoLimit ? 0 : 100));
    sample.set(Metric::cpu_throttled_periods, at * part(play.throttled, 100));
    sample.set(Metric::cpu_throttled_local, at * part(play.above, kSecond));
    sample.set(Metric::memory_current, play.memory);
    sample.set(Metric::cpu_limit, play.cpu_limit);
    sample.set(Metric::memory_high_limit, kNoLimit);
    sample.set(Metric::memory_max_limit, play.memory_limit);
    sample.set(Metric::memory_oom_kill, play.kills);
    if (play.read + play.written > 0) {
      sample.set(Metric::io_rbytes, at * part(play.read, 1 << 20));
      sample.set(Metric::io_wbytes, at * part(play.written, 1 << 20));
    }
    sample.set(Metric::pids_current, 7);
    // Pressure rises and falls, up to its share, so that its line is one.
    const auto stalled = [&](double share) {
      std::uint64_t total = 0;
      for (std::uint64_t n = 1; n <= at; ++n)
        total += part(share * static_cast<double>(1 + n % 8) / 8, kSecond);
      return total;
    };
    sample.set(Metric::cpu_some, stalled(play.cpu_some));
    sample.set(Metric::memory_some, stalled(play.memory_some));
    sample.set(Metric::io_some, stalled(play.io_some));
    frame.subjects.push_back(std::move(subject));
    frame.samples.push_back(sample);
  }
  return frame;
}

/// A host with one of each trouble.
std::vector<Play> plays() {
  constexpr std::uint64_t kMega = kMiB;
  return {
      {.name = "web",
       .image = "nginx:1.27",
       .cpus = 0.2,
       .throttled = 0.93,
       .memory = 716'800,
       .cpu_limit = kSecond / 5,
       .memory_limit = 64 * kMega,
       .cpu_some = 0.62},
      {.name = "db",
       .image = "postgres:16",
       .runtime = Runtime::podman,
       .cpus = 0.31,
       .memory = 1008 * kMega,
       .memory_limit = 1024 * kMega,
       .read = 41.5,
       .written = 3.2,
       .memory_some = 0.14,
       .io_some = 0.22},
      {.name = "shop/app-0/main",
       .image = "registry.example/shop/app:7",
       .runtime = Runtime::containerd,
       .cpus = 0.5,
       .above = 0.4,
       .memory = 95 * kMega,
       .cpu_limit = kSecond / 2,
       .cpu_some = 0.3},
      {.name = "batch",
       .runtime = Runtime::lxc,
       .cpus = 1.87,
       .memory = 12 * kMega,
       .written = 0.5,
       .cpu_some = 0.04},
      {.name = "killed", .image = "app:latest", .memory = 1 * kMega, .memory_limit = 64 * kMega, .kills = 2},
      {.name = "\x1b[31mred\n\xff \xe2\x80\xae"
               "evil",
       .image = "\xff\x1b]0;x\a"},
      {.name = "caf\u00e9-e\u0301-\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57", .cpus = 0.01},
      {.name = std::string(4096, 'n')},
      {.name = "cron.service", .runtime = Runtime::systemd, .memory = 2 * kMega},
  };
}

class Screen {
 public:
  explicit Screen(const std::vector<Play>& plays = cli::plays()) {
    ::setenv("TZ", "UTC", 1);  // the time of day in the title is the local one
    ::tzset();
    for (std::uint64_t at = 1; at <= 31; ++at) model_.see(frame(at, plays));
  }
  TopState state;

  Grid draw(GridSize size, Charset charset = Charset::utf8, std::vector<TopLine> details = {}) {
    const std::vector<TopRow> rows = shown_rows(model_.view(), state, {});
    TopExtent extent{.rows = {}, .page = page_lines(state, size), .lines = 100};
    for (const TopRow& row : rows) extent.rows.push_back(row.subject.cgroup_id);
    settle(state, extent);
    return draw_top(state,
                    {.view = model_.view(),
                     .rows = rows,
                     .history = model_.history(),
                     .host = "lab1",
                     .source = "frames of another weir",
                     .notice = "",
                     .last_event = "22:13:40 web: throttled by its CPU limit in 93 % of its periods",
                     .events = 3,
                     .details = details,
                     .details_of = "web"},
                    size, charset);
  }
  std::vector<TopLine> details_of_first(std::size_t columns) {
    const std::vector<TopRow> rows = shown_rows(model_.view(), state, {});
    const TopRow& row = rows.front();
    const cgroup::HeldLimits held{
        .cpu_max = cgroup::Effective<cgroup::CpuMax>{*cgroup::parse_cpu_max("20000 100000"),
                                                     row.subject.container.cgroup},
        .memory_high = cgroup::Effective<Limit<Bytes>>{Limit<Bytes>::unlimited(), ""},
        .memory_max = cgroup::Effective<Limit<Bytes>>{Limit(Bytes(64 * kMiB)), "/system.slice"},
        .memory_swap_max = {},
        .pids_max = {}};
    const std::vector<std::string> events = {
        "22:13:40 web: throttled by its CPU limit in 93 % of its periods"};
    return details_lines({.row = row,
                          .held = held,
                          .track = model_.history().of(row.subject.cgroup_id),
                          .events = events,
                          .target = "docker:web"},
                         columns, Charset::utf8);
  }

 private:
  TopModel model_;
};

void expect_fits(const Grid& grid) {
  const std::string text = grid.text();
  for (const std::string_view line : split(text, '\n'))
    EXPECT_LE(display_width(line), grid.size().columns) << line;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(TopGolden, At80x24) {
  Screen screen;
  const Grid grid = screen.draw({80, 24});
  expect_fits(grid);
  expect_golden("top_80x24.txt", grid.text());
}

TEST(TopGolden, At200x50WithServicesByThrottling) {
  Screen screen;
  screen.state.services = true;
  screen.state.sort = TopSort::throttled;
  const Grid grid = screen.draw({200, 50});
  expect_fits(grid);
  expect_golden("top_200x50.txt", grid.text());
}

TEST(TopGolden, InAscii) {
  Screen screen;
  const std::string text = screen.draw({80, 24}, Charset::ascii).text();
  for (const char c : text) ASSERT_GE(c, 0);
  expect_golden("top_ascii.txt", text);
}

TEST(TopGolden, OnTheSmallestScreen) {
  Screen screen;
  screen.state.typing = true;
  screen.state.filter = "e";
  expect_golden("top_40x8.txt", screen.draw(kSmallestTop).text());
}

TEST(TopGolden, Details) {
  Screen screen;
  screen.state.page = TopPage::details;
  screen.state.sort = TopSort::throttled;
  const Grid grid = screen.draw({100, 70}, Charset::utf8, screen.details_of_first(100));
  expect_fits(grid);
  expect_golden("top_details.txt", grid.text());
}

TEST(TopGolden, Help) {
  Screen screen;
  screen.state.page = TopPage::help;
  const Grid grid = screen.draw({90, 50});
  expect_fits(grid);
  expect_golden("top_help.txt", grid.text());
}

TEST(TopDraw, FitsEveryWidthAndHeight) {
  Screen screen;
  for (const TopPage page : {TopPage::table, TopPage::details, TopPage::help})
    for (std::size_t columns = 1; columns < 210; columns += 3)
      for (const std::size_t rows : {1U, 2U, 7U, 8U, 15U, 16U, 24U}) {
        screen.state.page = page;
        expect_fits(screen.draw({columns, rows}, Charset::utf8, screen.details_of_first(columns)));
      }
}

TEST(TopDraw, SaysWhyNothingIsShown) {
  Screen none(std::vector<Play>{});
  EXPECT_THAT(none.draw({80, 24}).text(), HasSubstr("no containers here; s shows services"));
  Screen some;
  some.state.filter = "nobody";
  EXPECT_THAT(some.draw({80, 24}).text(), HasSubstr("Esc clears the filter"));
  EXPECT_THAT(some.draw({39, 24}).text(), HasSubstr("too small"));
}

TEST(TopDraw, MarksTheSelectedRowAndWhatIsPaused) {
  Screen screen;
  screen.state.paused = true;
  const Grid grid = screen.draw({80, 24});
  EXPECT_TRUE(grid.row(6)[0].style.reverse);
  EXPECT_FALSE(grid.row(7)[0].style.reverse);
  EXPECT_THAT(grid.text(), HasSubstr("PAUSED"));
}

TEST(TopColumns, ComeAsThereIsRoom) {
  std::size_t before = 0;
  for (std::size_t columns = 40; columns <= 250; ++columns) {
    const auto placed = place_columns(columns);
    ASSERT_FALSE(placed.empty());
    EXPECT_LE(placed.back().at + placed.back().width, columns);
    EXPECT_EQ(placed.front().column->title, "NAME");
    before = std::max(before, placed.size());
  }
  EXPECT_EQ(before, 20U);  // all but those that are there apart
}

TEST(TopColumns, SayPercentAndCpusShortly) {
  EXPECT_EQ(share_text(std::nullopt), "-");
  EXPECT_EQ(share_text(0.0001), "0%");
  EXPECT_EQ(share_text(0.004), "0.4%");
  EXPECT_EQ(share_text(16.0), "1600%");
  EXPECT_EQ(cpus_text(0.2), "0.2");
  EXPECT_EQ(cpus_text(2), "2");
  EXPECT_EQ(cpus_text(12.5), "12.5");
  EXPECT_EQ(cpus_text(100.4), "100");
}

TEST(TopGrid, DrawsBarsThatAreNeverQuiteEmptyOrFull) {
  EXPECT_EQ(bar_text(0, 4, Charset::utf8), "····");
  EXPECT_EQ(bar_text(0.001, 4, Charset::utf8), "▏···");
  EXPECT_EQ(bar_text(0.5, 4, Charset::utf8), "██··");
  EXPECT_EQ(bar_text(0.999, 4, Charset::utf8), "███▉");
  EXPECT_EQ(bar_text(7, 4, Charset::utf8), "████");
  EXPECT_EQ(bar_text(0.5, 4, Charset::ascii), "##..");
  EXPECT_EQ(bar_text(1, 0, Charset::utf8), "");
}

TEST(TopGrid, DrawsSparksOnASquareRootScale) {
  EXPECT_EQ(spark_text(std::nullopt, Charset::utf8), " ");
  EXPECT_EQ(spark_text(0, Charset::utf8), "▁");
  EXPECT_EQ(spark_text(0.25, Charset::utf8), "▅");
  EXPECT_EQ(spark_text(1, Charset::utf8), "█");
  EXPECT_EQ(spark_text(1, Charset::ascii), "#");
}

TEST(TopGrid, KeepsWideCharactersWholeAndPilesOfMarksDown) {
  Grid grid({6, 1}, Charset::utf8);
  grid.put(0, 0, "a\u0301\u0302\u0303\u6f22\u6f22\u6f22");
  EXPECT_EQ(grid.text(), "a\u0301\u6f22\u6f22…\n");
  grid.put(0, 2, "x");  // into the right half of a wide one
  EXPECT_EQ(display_width(grid.text().substr(0, grid.text().size() - 1)), 6U);
}

}  // namespace
}  // namespace weir::cli
