// SPDX-License-Identifier: MIT
// What the metrics of N containers cost the loop that watches: taking in a frame each second, and making the
// text when someone asks.
//
//   build/release/bin/metrics_bench
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "weir/serve/endpoint.h"

namespace {

using namespace weir;

Frame frame_of(std::int64_t count) {
  Frame frame;
  frame.number = 1;
  for (std::int64_t n = 0; n < count; ++n) {
    Container container{.name = fmt::format("shop-web-{}", n),
                        .id = fmt::format("{:064x}", n + 1),
                        .runtime = Runtime::docker,
                        .cgroup = fmt::format("/system.slice/docker-{:064x}.scope", n + 1),
                        .image = "registry.example.org/shop/web:1.2.3"};
    container.labels = {{"tier", "web"}, {"team", "shop"}};
    frame.subjects.push_back(
        {.container = std::move(container), .cgroup_id = CgroupId(static_cast<std::uint64_t>(n))});
    Sample& sample = frame.samples.emplace_back();
    for (const MetricInfo& metric : metrics()) sample.set(metric.metric, 123'456'789);
  }
  return frame;
}

bool all(const Container&) { return true; }

void take_in(benchmark::State& state) {
  const SystemClock clock;
  const auto endpoint = serve::Endpoint::open(serve::LoopbackAddress{}, clock);
  if (!endpoint) return state.SkipWithError("no port");
  const Frame frame = frame_of(state.range(0));
  for (auto _ : state) (*endpoint)->see(frame, all);
}
BENCHMARK(take_in)->Arg(50)->Arg(1000)->Unit(benchmark::kMicrosecond);

void make_text(benchmark::State& state) {
  const Frame frame = frame_of(state.range(0));
  std::size_t size = 0;
  for (auto _ : state) size = exports::prometheus_text(frame, {}, exports::Dialect::prometheus).size();
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(make_text)->Arg(50)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
