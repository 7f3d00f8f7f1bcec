// SPDX-License-Identifier: MIT
#include "weir/latency/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/json.h"
#include "weir/latency/scale.h"

namespace weir::latency {
namespace {

using cgroup::Knob;
using ::testing::HasSubstr;
using ::testing::Not;

Sample call(Method method, std::uint64_t ns) {
  return {.method = method,
          .knob = Knob::cpu_max,
          .part = Part::calls,
          .direction = Direction::any,
          .times = {ns, ns / 2, ns - 1, std::nullopt}};
}

Sample cut(Method method, std::optional<std::uint64_t> effect) {
  return {.method = method,
          .knob = Knob::cpu_max,
          .part = Part::effect,
          .direction = Direction::cut,
          .times = {1, 1, 1, effect}};
}

Outcome outcome() {
  Outcome outcome;
  outcome.hooks.push_back({Knob::cpu_max,
                           {.entry = {.name = "fentry vfs_write"},
                            .handler = {.name = "fexit cpu_max_write"},
                            .throttled = {.name = "fexit throttle_cfs_rq"},
                            .ran = {.name = "tp_btf sched_switch"}}});
  for (const std::uint64_t ms : {38, 40, 44})
    outcome.samples.push_back(call(Method::docker_cli, ms * 1'000'000));
  for (const std::uint64_t ns : {1000, 1100, 2000}) outcome.samples.push_back(call(Method::pwrite, ns));
  outcome.samples.push_back(cut(Method::pwrite, 8'400'000));
  outcome.samples.push_back(cut(Method::pwrite, std::nullopt));
  outcome.samples.push_back(cut(Method::docker_cli, std::nullopt));
  outcome.unsupported.push_back(
      {Method::docker_cli, Knob::memory_high, std::nullopt, "no <b>option</b> \xff\x1b[31m"});
  outcome.lost_events = 2;
  return outcome;
}

Setting setting() {
  return {.kernel = "Linux 6.12 <test>",
          .load = "idle",
          .cpus = 2,
          .plan = {.combinations = {{Method::docker_cli, Knob::cpu_max}, {Method::pwrite, Knob::cpu_max}},
                   .seed = 1}};
}

TEST(Report, ComparesEachMedianWithDockerUpdate) {
  const Report report = make_report(setting(), outcome());
  const auto ratio = std::ranges::find_if(report.ratios, [](const Ratio& each) {
    return each.method == Method::pwrite && each.stage == Stage::call;
  });
  ASSERT_NE(ratio, report.ratios.end());
  EXPECT_DOUBLE_EQ(ratio->p50, 40'000'000.0 / 1100);
}

TEST(Report, CountsTheWritesAtWhichAStageWasNotSeen) {
  const Report report = make_report(setting(), outcome());
  const Row* row = find_row(report, Method::pwrite, Knob::cpu_max, Stage::first_effect, Direction::cut);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->summary.n, 1U);
  EXPECT_EQ(row->missed, 1U);
  EXPECT_EQ(row->hook, "fexit throttle_cfs_rq");
}

TEST(Report, SaysThatAStageWasNeverSeenInsteadOfInventingARow) {
  const Report report = make_report(setting(), outcome());
  EXPECT_EQ(find_row(report, Method::docker_cli, Knob::cpu_max, Stage::first_effect, Direction::cut),
            nullptr);
  EXPECT_TRUE(std::ranges::any_of(report.unsupported, [](const Unsupported& no) {
    return no.method == Method::docker_cli && no.stage == Stage::first_effect &&
           no.reason == "cut: not seen at any write";
  }));
}

TEST(ReportJson, KeepsTheContractForScripts) {
  const auto json = parse_json(to_json(make_report(setting(), outcome())), "report");
  ASSERT_TRUE(json.has_value()) << json.error().message();
  EXPECT_EQ((*json)["schema"], 1);
  const Json& first = (*json)["results"].front();
  for (const char* key :
       {"method", "knob", "stage", "hook", "n", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns"})
    EXPECT_NE(member(first, key), nullptr) << key;
  EXPECT_EQ(first["method"], "docker_cli");
  EXPECT_EQ(first["p50_ns"], 40'000'000);
  EXPECT_EQ((*json)["ratios"].front()["to"], "docker_cli");
  EXPECT_EQ((*json)["lost_events"], 2);
  EXPECT_EQ((*json)["unsupported"].front()["stage"], nullptr);
}

TEST(ReportCsv, HasOneLineForEachRow) {
  const Report report = make_report(setting(), outcome());
  const std::string csv = to_csv(report);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(csv, '\n')), report.rows.size() + 1);
  EXPECT_THAT(csv, HasSubstr("pwrite,cpu.max,call,any,clock_gettime around the call,3,0,1000,1367,1100,"));
}

TEST(ReportHtml, NeedsNothingFromOutsideAndEscapesEverything) {
  const std::string html = to_html(make_report(setting(), outcome()));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("http:")));
  EXPECT_THAT(html, Not(HasSubstr("https:")));
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  EXPECT_THAT(html, Not(HasSubstr("<test>")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, HasSubstr("docker update"));
}

TEST(Averages, AreOneLineForEachEndOfTheRace) {
  EXPECT_THAT(averages(make_report(setting(), outcome())),
              ::testing::ElementsAre("Average cpu.max latency via docker update: 40.7 ms",
                                     "Average cpu.max latency via pwrite on a kept fd: 1.37 us"));
}

TEST(Histogram, ShowsEachMethodOnOneAxis) {
  const auto lines =
      histogram(make_report(setting(), outcome()), Knob::cpu_max, Stage::call, Direction::any, 80);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr("|1 us"));
  EXPECT_THAT(lines[0], HasSubstr("|10 ms"));
  EXPECT_THAT(lines[1], ::testing::StartsWith("docker update"));
}

TEST(Histogram, IsEmptyWithoutValues) {
  EXPECT_TRUE(histogram(make_report(setting(), {}), Knob::cpu_max, Stage::call, Direction::any, 80).empty());
}

TEST(LogScale, GivesEachDecadeTheSameWidth) {
  const LogScale scale(1'500, 7'000'000);
  EXPECT_EQ(scale.first_decade(), 3);
  EXPECT_EQ(scale.decades(), 4);
  EXPECT_DOUBLE_EQ(scale.position(1'000), 0);
  EXPECT_NEAR(scale.position(100'000), 0.5, 1e-9);
  EXPECT_DOUBLE_EQ(scale.position(0), 0);
}

TEST(LogScale, PutsEveryValueIntoACell) {
  const LogScale scale(1, 999);
  const auto counts = scale.count({1, 10, 100, 999}, 3);
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 1, 2}));
}

}  // namespace
}  // namespace weir::latency
