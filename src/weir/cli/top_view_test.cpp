// SPDX-License-Identifier: MIT
#include "weir/cli/top_view.h"

#include <gmock/gmock.h>

#include "weir/base/json.h"
#include "weir/cli/top_json.h"
#include "weir/cli/top_model.h"

namespace weir::cli {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr double kExact = 1e-9;

void read_all(Sample& sample, std::int64_t at) { sample.read_at.fill(at); }

struct Counters {
  std::uint64_t usage = 0, periods = 0, throttled = 0, local = 0, io_some = 0;
};
Sample sample(std::int64_t second, const Counters& counters) {
  Sample one;
  read_all(one, second * 1'000'000'000);
  one.set(Metric::cpu_usage, counters.usage);
  one.set(Metric::cpu_periods, counters.periods);
  one.set(Metric::cpu_throttled_periods, counters.throttled);
  one.set(Metric::cpu_throttled_local, counters.local);
  one.set(Metric::io_some, counters.io_some);
  return one;
}

Frame frame(std::int64_t second) {
  Frame one;
  one.number = static_cast<std::uint64_t>(second);
  one.at = std::chrono::seconds(second);
  one.time = std::chrono::seconds(1'700'000'000 + second);
  one.host = sample(second, {});
  return one;
}

void add(Frame& frame, std::string name, std::uint64_t id, const Sample& sample,
         Runtime runtime = Runtime::docker) {
  Subject subject;
  subject.container.name = name;
  subject.container.cgroup = "/" + std::move(name);
  subject.container.runtime = runtime;
  subject.cgroup_id = CgroupId(id);
  frame.subjects.push_back(std::move(subject));
  frame.samples.push_back(sample);
}

TopView view_of(const Counters& before, const Counters& now) {
  Frame first = frame(10), second = frame(12);
  add(first, "web", 7, sample(10, before));
  add(second, "web", 7, sample(12, now));
  return make_view(first, second);
}

TEST(TopView, HasRatesOverTheFilesOwnReadTimes) {
  const TopView view = view_of({}, {.usage = 3'000'000, .periods = 20, .throttled = 5, .io_some = 200'000});
  ASSERT_EQ(view.rows.size(), 1U);
  EXPECT_THAT(view.rows[0].use.cpu, Optional(DoubleNear(1.5, kExact)));
  EXPECT_THAT(view.rows[0].throttled, Optional(DoubleNear(0.25, kExact)));
  EXPECT_FALSE(view.rows[0].throttled_above);
  EXPECT_THAT(view.rows[0].use.some.io, Optional(DoubleNear(0.1, kExact)));
  EXPECT_EQ(worst(view.rows[0].use.some)->resource, "io");
}

TEST(TopView, TellsThrottlingByALevelAbove) {
  const TopView view = view_of({}, {.usage = 1, .local = 5'000'000});
  EXPECT_THAT(view.rows[0].throttled, Optional(1.0));
  EXPECT_TRUE(view.rows[0].throttled_above);
}

TEST(TopView, KnowsNoRateOfWhatIsNewOrNotCounted) {
  const Frame first = frame(10);
  Frame second = frame(12);
  add(second, "new", 7, sample(12, {.usage = 5}));
  const TopView view = make_view(first, second);
  EXPECT_EQ(view.rows[0].use.cpu, std::nullopt);
  EXPECT_EQ(view.rows[0].throttled, std::nullopt);
  EXPECT_EQ(view.rows[0].io, std::nullopt);
  EXPECT_EQ(memory_limit(view.rows[0].use.now), std::nullopt);
  EXPECT_EQ(worst(view.rows[0].use.some), std::nullopt);
}

TEST(TopView, TakesTheTighterMemoryLimit) {
  Sample one;
  one.set(Metric::memory_high_limit, 100);
  one.set(Metric::memory_max_limit, kNoLimit);
  EXPECT_EQ(memory_limit(one)->value(), Bytes(100));
  one.set(Metric::memory_high_limit, kNoLimit);
  EXPECT_TRUE(memory_limit(one)->is_unlimited());
  one.set(Metric::cpu_limit, 200'000);
  EXPECT_DOUBLE_EQ(cpu_limit(one)->value(), 0.2);
}

TEST(TopView, WaitsForTheSlowFilesToBeReadAgain) {
  const Frame first = frame(10);
  Frame fast = frame(11);
  fast.host.read_at = first.host.read_at;
  EXPECT_FALSE(is_next(first, fast));
  EXPECT_TRUE(is_next(first, frame(11)));
  Frame soon = frame(11);
  soon.at = first.at + std::chrono::milliseconds(100);
  EXPECT_FALSE(is_next(first, soon));
}

std::vector<std::string> names(const std::vector<TopRow>& rows) {
  std::vector<std::string> all;
  for (const TopRow& row : rows) all.push_back(row.subject.container.name);
  return all;
}

std::vector<TopRow> three() {
  std::vector<TopRow> rows(3);
  rows[0].subject.container.name = "b";
  rows[0].use.cpu = 1;
  rows[1].subject.container.name = "a";
  rows[2].subject.container.name = "c";
  rows[2].use.cpu = 2;
  return rows;
}

TEST(TopSort, PutsTheUnknownLastBothWays) {
  auto rows = three();
  sort_rows(rows, TopSort::cpu, TopOrder::usual);
  EXPECT_THAT(names(rows), ElementsAre("c", "b", "a"));
  sort_rows(rows, TopSort::cpu, TopOrder::reversed);
  EXPECT_THAT(names(rows), ElementsAre("b", "c", "a"));
}

TEST(TopSort, SortsNamesFromAToZ) {
  auto rows = three();
  sort_rows(rows, TopSort::name, TopOrder::usual);
  EXPECT_THAT(names(rows), ElementsAre("a", "b", "c"));
  sort_rows(rows, TopSort::name, TopOrder::reversed);
  EXPECT_THAT(names(rows), ElementsAre("c", "b", "a"));
}

TEST(TopSort, IsWrittenAsItIsRead) {
  for (std::size_t n = 0; n < kTopSorts; ++n) {
    const auto sort = static_cast<TopSort>(n);
    EXPECT_EQ(parse_top_sort(to_string(sort)), sort);
  }
  EXPECT_EQ(parse_top_sort("cpus"), std::nullopt);
}

TEST(TopFilter, LooksIntoNameImageLabelsRuntimeAndId) {
  Container one;
  one.name = "Web-1";
  one.image = "docker.io/library/nginx:1";
  one.runtime = Runtime::podman;
  one.id = "4f2a91";
  one.labels["tier"] = "db";
  for (const std::string_view text : {"web", "NGINX", "podman", "tier=d", "4f2a"})
    EXPECT_TRUE(passes({.targets = {}, .text = text}, one)) << text;
  for (const std::string_view text : {"f2a9", "apache", "tier=x"})
    EXPECT_FALSE(passes({.targets = {}, .text = text}, one)) << text;
}

TEST(TopFilter, ShowsServicesWhenAskedOrNamed) {
  Container one;
  one.name = "cron.service";
  one.runtime = Runtime::systemd;
  EXPECT_FALSE(passes({}, one));
  EXPECT_TRUE(passes({.targets = {}, .text = {}, .services = true}, one));
  const std::vector targets = {*container::parse_target("unit:cron.service")};
  EXPECT_TRUE(passes({.targets = targets, .text = {}}, one));
  const std::vector others = {*container::parse_target("web")};
  EXPECT_FALSE(passes({.targets = others, .text = {}, .services = true}, one));
}

TEST(TopHistory, ForgetsWhatEndedAndIsBounded) {
  TopHistory history;
  const TopView view = view_of({}, {.io_some = 200'000});
  for (std::size_t n = 0; n < TopHistory::kPoints + 5; ++n) history.see(view);
  ASSERT_NE(history.of(CgroupId(7)), nullptr);
  EXPECT_EQ(history.of(CgroupId(7))->size(), TopHistory::kPoints);
  history.see(TopView{});
  EXPECT_EQ(history.of(CgroupId(7)), nullptr);
  EXPECT_EQ(history.host().size(), TopHistory::kPoints);
}

TEST(TopModel, ShowsTheFirstFrameWithoutRatesAndTheSecondWith) {
  TopModel model;
  Frame first = frame(10), second = frame(11);
  add(first, "web", 7, sample(10, {}));
  add(second, "web", 7, sample(11, {.usage = 500'000}));
  EXPECT_TRUE(model.see(first));
  EXPECT_FALSE(model.has_rates());
  EXPECT_EQ(model.view().rows[0].use.cpu, std::nullopt);
  EXPECT_TRUE(model.see(second));
  EXPECT_TRUE(model.has_rates());
  EXPECT_THAT(model.view().rows[0].use.cpu, Optional(DoubleNear(0.5, kExact)));
}

TEST(TopModel, KeepsThePressureThatWasNotReadAgain) {
  TopModel model;
  const auto at = [](std::int64_t second, std::uint64_t stalled, std::int64_t read) {
    Frame one = frame(second);
    one.host.set(Metric::io_some, stalled);
    one.host.read_at[index(Source::io_pressure)] = read;
    return one;
  };
  model.see(at(10, 0, 10'000'000'000));
  model.see(at(11, 200'000, 11'000'000'000));
  model.see(at(12, 200'000, 11'000'000'000));
  EXPECT_THAT(model.view().host.some.io, Optional(DoubleNear(0.2, kExact)));
  model.see(at(13, 1'200'000, 13'000'000'000));
  EXPECT_THAT(model.view().host.some.io, Optional(DoubleNear(0.5, kExact)));
}

TEST(TopModel, StandsStillWhilePausedAndGoesOnWithRatesOverThePause) {
  TopModel model;
  model.see(frame(10));
  EXPECT_FALSE(model.see(frame(11), TopModel::Pace::paused));
  EXPECT_TRUE(model.see(frame(14)));
  EXPECT_EQ(model.view().span, std::chrono::seconds(4));
}

TEST(TopModel, KeepsTheEventsOfEachContainer) {
  TopModel model;
  Subject subject;
  subject.container.name = "w\x1b[31m";
  subject.cgroup_id = CgroupId(7);
  model.tell({.kind = EventKind::container_started, .time = {}, .subject = subject, .details = {}});
  model.tell({.kind = EventKind::oom_kill, .time = {}, .subject = {}, .details = {}});
  EXPECT_EQ(model.events(), 2U);
  EXPECT_THAT(model.events_of(CgroupId(7)), ElementsAre(HasSubstr("w\\x1b[31m: started")));
}

TEST(TopJson, SaysNullForTheUnknownAndMaxForNoLimit) {
  Frame first = frame(10), second = frame(11);
  Sample now = sample(11, {.usage = 1'000'000, .periods = 10, .throttled = 4});
  now.set(Metric::cpu_limit, kNoLimit);
  add(first, "web", 7, sample(10, {}));
  add(second, "w\xff", 7, now);
  const TopView view = make_view(first, second);
  const auto json = parse_json(top_json(view, view.rows, "alone"), "top");
  ASSERT_TRUE(json);
  const Json& one = (*json)["containers"][0];
  EXPECT_EQ((*json)["schema"], 1);
  EXPECT_EQ((*json)["window_usec"], 1'000'000);
  EXPECT_EQ(one["name"], "w\xEF\xBF\xBD");
  EXPECT_EQ(one["rates"]["cpus"], 1.0);
  EXPECT_EQ(one["limits"]["cpus"], "max");
  EXPECT_TRUE(one["limits"]["memory_bytes"].is_null());
  EXPECT_EQ(one["throttled_share"], 0.4);
  EXPECT_EQ(one["throttled_by"], "own");
  EXPECT_EQ(one["metrics"]["cpu_usage_usec"], 1'000'000);
  EXPECT_TRUE(one["metrics"]["pids"].is_null());
  EXPECT_EQ(one["metrics"].size(), kMetrics);
}

}  // namespace
}  // namespace weir::cli
