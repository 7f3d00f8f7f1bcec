// SPDX-License-Identifier: MIT
#include "weir/export/prometheus.h"

#include <gmock/gmock.h>

#include "support/exposition.h"
#include "support/golden.h"
#include <fstream>
#include <iterator>

namespace weir::exports {
namespace {

using testing::exposition_fault;
using ::testing::HasSubstr;
using ::testing::Not;

Frame one_container(Container container) {
  Frame frame;
  frame.number = 7;
  frame.time = std::chrono::nanoseconds(1'700'000'000'250'000'000);
  frame.subjects = {{.container = std::move(container), .cgroup_id = CgroupId(4711)}};
  frame.samples.resize(1);
  return frame;
}
Container web() {
  return {.name = "web", .id = std::string(64, 'a'), .runtime = Runtime::docker, .image = "nginx:1"};
}
std::string text_of(const Frame& frame, Dialect dialect = Dialect::prometheus) {
  return prometheus_text(frame, {}, dialect);
}

TEST(PrometheusText, IsWhatTheGoldenFileHolds) {
  Frame frame = one_container(web());
  Sample& sample = frame.samples[0];
  std::uint64_t value = 1'000'000;
  for (const MetricInfo& metric : metrics()) sample.set(metric.metric, value += 500'001);
  sample.set(Metric::memory_high_limit, kNoLimit);
  frame.host.set(Metric::cpu_usage, 12'345'678);
  frame.host.set(Metric::cpu_limit, 2'000'000);
  frame.host.set(Metric::memory_max_limit, 4096);
  Watching watching{.role = "samples", .unreadable_files = 0, .events = {}, .lost = {{"log", 2}}};
  watching.events.count({.kind = EventKind::oom_kill, .subject = frame.subjects[0], .details = {}});
  const std::string text = prometheus_text(frame, watching, Dialect::prometheus);
  EXPECT_EQ(exposition_fault(text), "");
  testing::expect_golden("metrics.txt", text);
}

TEST(PrometheusText, OpenMetricsNamesCounterFamiliesWithoutTotalAndEnds) {
  Frame frame = one_container(web());
  frame.samples[0].set(Metric::cpu_usage, 1);
  const std::string text = text_of(frame, Dialect::openmetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE weir_container_cpu_usage_seconds counter\n"
                              "weir_container_cpu_usage_seconds_total{"));
  EXPECT_TRUE(text.ends_with("\n# EOF\n"));
}

TEST(PrometheusText, LeavesOutWhatWasNotMeasuredAndTellsAZero) {
  Frame frame = one_container(web());
  frame.samples[0].set(Metric::io_rbytes, 0, Known::zero);
  frame.samples[0].set(Metric::pids_current, 0, Known::not_counted);
  const std::string text = text_of(frame);
  EXPECT_THAT(
      text, HasSubstr("weir_container_io_read_bytes_total{name=\"web\",id=\"aaaaaaaaaaaa\",image=\"nginx:1\","
                      "runtime=\"docker\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("weir_container_pids")));
  EXPECT_THAT(text, Not(HasSubstr("weir_container_memory")));
}

TEST(PrometheusText, ALimitThatIsMaxIsInfinite) {
  Frame frame = one_container(web());
  frame.samples[0].set(Metric::cpu_limit, kNoLimit);
  frame.samples[0].set(Metric::memory_max_limit, kNoLimit);
  const std::string text = text_of(frame);
  EXPECT_THAT(text,
              HasSubstr("weir_container_cpu_limit_cores{name=\"web\",id=\"aaaaaaaaaaaa\",image=\"nginx:1\","
                        "runtime=\"docker\"} +Inf\n"));
  EXPECT_THAT(text, HasSubstr("weir_container_memory_limit_bytes{"));
}

TEST(PrometheusText, OnlyACountOfALimitIsInfinite) {
  Frame frame = one_container(web());
  frame.samples[0].set(Metric::memory_current, UINT64_MAX);
  EXPECT_THAT(text_of(frame), HasSubstr("} 18446744073709551615\n"));
}

TEST(PrometheusText, AHostileNameStaysInsideItsQuotes) {
  Container hostile = web();
  hostile.name = "a\"} 1\nfake_metric{x=\"\\\r\xff\x01";
  hostile.image = std::string(10'000, '\\');
  Frame frame = one_container(hostile);
  for (const MetricInfo& metric : metrics()) frame.samples[0].set(metric.metric, 1);
  const std::string text = text_of(frame);
  EXPECT_EQ(exposition_fault(text), "");
  EXPECT_THAT(text, HasSubstr(R"(name="a\"} 1\nfake_metric{x=\"\\)"));
}

TEST(PrometheusText, TwoOfTheSameNameAreTwoSeries) {
  Frame frame = one_container(web());
  frame.subjects.push_back({.container = web(), .cgroup_id = CgroupId(4712)});
  frame.samples.resize(2);
  for (Sample& sample : frame.samples) sample.set(Metric::pids_current, 1);
  const std::string text = text_of(frame);
  EXPECT_EQ(exposition_fault(text), "");
  EXPECT_THAT(text, HasSubstr(",cgroup_id=\"4712\"} 1\n"));
}

TEST(PrometheusText, BeforeTheFirstFrameOnlyWeirItselfIsTold) {
  const std::string text = text_of({});
  EXPECT_EQ(exposition_fault(text), "");
  EXPECT_THAT(text, HasSubstr("weir_build_info{version="));
  EXPECT_THAT(text, HasSubstr("weir_events_total{event=\"oom_kill\",scope=\"container\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("weir_frame_timestamp")));
  EXPECT_THAT(text, Not(HasSubstr("weir_host")));
}

TEST(EventCounts, WhatLastsCountsOnce) {
  EventCounts counts;
  counts.count({.kind = EventKind::psi_spike, .state = EventState::begin, .subject = {}, .details = {}});
  counts.count({.kind = EventKind::psi_spike, .state = EventState::end, .subject = {}, .details = {}});
  EXPECT_EQ(counts.get(EventKind::psi_spike, Scope::host), 1U);
  EXPECT_EQ(counts.get(EventKind::psi_spike, Scope::container), 0U);
}

TEST(LabelValue, EscapesReplacesAndCuts) {
  EXPECT_EQ(label_value("plain ü"), "plain ü");
  EXPECT_EQ(label_value("\\\"\n"), R"(\\\"\n)");
  EXPECT_EQ(label_value("\x80"), "\xEF\xBF\xBD");
  EXPECT_EQ(label_value(std::string_view("a\0b\x7f", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(label_value(std::string(1000, 'x')), std::string(kLongestLabel, 'x'));
  EXPECT_EQ(label_value(std::string(kLongestLabel - 1, 'x') + "ü"), std::string(kLongestLabel - 1, 'x'));
}

TEST(ContainerLabels, NameThePodOfAKubernetesContainer) {
  Container container{.name = "shop/web-1/app", .runtime = Runtime::containerd};
  container.k8s_namespace = "shop";
  container.k8s_pod = "web-1";
  container.k8s_container = "app";
  EXPECT_EQ(container_labels(container),
            R"(name="shop/web-1/app",runtime="containerd",namespace="shop",pod="web-1",container="app")");
}

/// docs/reference/metrics.md has one row a family: `| name | type | help |`.
TEST(MetricNames, TheReferenceTellsEveryFamilyAndNoOther) {
  std::ifstream in(WEIR_SOURCE_DIR "/docs/reference/metrics.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  std::string expected;
  std::size_t rows = 0;
  for (const auto& group : {own_families(), families(Scope::host), families(Scope::container)})
    for (const Family& family : group) {
      ++rows;
      const std::string row = "| `" + family.name + "` | " +
                              (family.kind == MetricKind::counter ? "counter" : "gauge") + " | " +
                              family.help + " |\n";
      if (page.find(row) == std::string::npos) expected += row;
    }
  EXPECT_EQ(expected, "") << "these rows are missing in docs/reference/metrics.md";
  std::size_t told = 0;
  for (std::size_t at = page.find("\n| `weir_"); at != std::string::npos;
       at = page.find("\n| `weir_", at + 1))
    ++told;
  EXPECT_EQ(told, rows);
}

}  // namespace
}  // namespace weir::exports
