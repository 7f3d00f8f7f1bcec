// SPDX-License-Identifier: MIT
#pragma once
// SimulatedHost: frames of a host with containers of five kinds (idle, light, busy, held by a CPU limit,
// bound by memory and IO) and some that live for a minute or two. Counters have the noise of real ones: CPU
// time and pressure in single microseconds, memory in pages, IO in bursts, read times as one process reads
// file after file. The same seed gives the same frames.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "weir/model/frame.h"

namespace weir::bench {

class SimulatedHost {
 public:
  SimulatedHost(std::size_t containers, std::uint64_t seed) : random_(seed) {
    for (std::size_t n = 0; n < containers; ++n) begin(n);
    frame_.at = std::chrono::hours(100);
    frame_.time = std::chrono::seconds(1'795'305'600);
    begin_sample(frame_.host);
    frame_.host.set(Metric::memory_current, std::uint64_t{40} << 30);
  }

  /// A second later.
  const Frame& next() {
    const std::int64_t late = static_cast<std::int64_t>(std::abs(normal(0, 60'000)));
    frame_.at = due_ + std::chrono::nanoseconds(late);
    frame_.time = std::chrono::seconds(1'795'305'600) + (frame_.at - std::chrono::hours(100));
    due_ += std::chrono::seconds(1);
    ++frame_.number;
    if (chance(1.0 / 30)) begin(10'000 + made_++);
    for (std::size_t n = 0; n < members_.size();) {
      if (members_[n].lives == 0 || --members_[n].lives > 0) {
        ++n;
        continue;
      }
      const auto at = static_cast<std::ptrdiff_t>(n);
      members_.erase(members_.begin() + at);
      frame_.subjects.erase(frame_.subjects.begin() + at);
      frame_.samples.erase(frame_.samples.begin() + at);
      ++frame_.generation;
    }
    std::int64_t clock = frame_.at.count();
    live_host(clock);
    for (std::size_t n = 0; n < members_.size(); ++n) {
      live(members_[n], frame_.samples[n]);
      for (std::int64_t& read : frame_.samples[n].read_at) read = tick(clock);
    }
    return frame_;
  }

 private:
  enum Kind : std::uint8_t { idle, light, busy, held, bound };
  struct Member {
    Kind kind = idle;
    double level = 0;         ///< CPU time a second, usec
    double load = 1;          ///< wanders about 1
    std::uint64_t lives = 0;  ///< seconds left; 0: for good
  };

  double normal(double mean, double deviation) { return mean + deviation * gauss_(random_); }
  double uniform(double from, double to) { return from + (to - from) * even_(random_); }
  bool chance(double p) { return even_(random_) < p; }
  std::uint64_t positive(double value) { return value <= 0 ? 0 : static_cast<std::uint64_t>(value); }
  std::int64_t tick(std::int64_t& clock) {
    clock +=
        static_cast<std::int64_t>(1'500 + std::abs(normal(0, 700)) + (chance(0.002) ? uniform(2e4, 8e5) : 0));
    return clock;
  }
  static void add(Sample& sample, Metric metric, std::uint64_t more) { sample.values[index(metric)] += more; }
  static void begin_sample(Sample& sample) {
    for (const MetricInfo& metric : metrics()) sample.set(metric.metric, 0);
  }

  void begin(std::size_t n) {
    Member member;
    const double dice = uniform(0, 1);
    member.kind = dice < 0.50 ? idle : dice < 0.75 ? light : dice < 0.90 ? busy : dice < 0.95 ? held : bound;
    member.level = member.kind == light  ? uniform(500, 5'000)
                   : member.kind == busy ? uniform(50'000, 900'000)
                                         : uniform(100'000, 300'000);
    if (n >= 10'000) member.lives = static_cast<std::uint64_t>(uniform(20, 200));
    std::string id;
    for (int digit = 0; digit < 64; ++digit) id += "0123456789abcdef"[random_() % 16];
    Container c{.name = fmt::format("shop-{}-{}", n < 10'000 ? "service" : "job", n),
                .id = id,
                .runtime = Runtime::docker,
                .cgroup = fmt::format("/system.slice/docker-{}.scope", id),
                .image = fmt::format("registry.example/shop/service-{}:1.{}", n % 40, n % 7),
                .compose_project = "shop",
                .compose_service = fmt::format("service-{}", n)};
    c.pid = Pid(static_cast<std::int32_t>(random_() % 4'000'000 + 2));
    c.labels = {{"com.docker.compose.project", "shop"},
                {"com.docker.compose.service", c.compose_service},
                {"com.docker.compose.config-hash", id.substr(7) + id.substr(0, 7)},
                {"tier", n % 3 == 0 ? "web" : "db"}};
    frame_.subjects.push_back({.container = std::move(c), .cgroup_id = CgroupId(20'000 + 41 * n)});
    Sample sample;
    begin_sample(sample);
    sample.set(Metric::cpu_steal, 0, Known::unsupported);
    if (n % 4 == 0)
      for (const Metric metric : {Metric::io_rbytes, Metric::io_wbytes, Metric::io_rios, Metric::io_wios})
        sample.set(metric, 0, Known::zero);
    sample.set(Metric::memory_anon, positive(uniform(1e3, 2e5)) * 4096);
    sample.set(Metric::memory_file, positive(uniform(1e2, 5e4)) * 4096);
    sample.set(Metric::cpu_usage, random_() % 100'000'000'000);
    sample.set(Metric::cpu_user, sample.values[index(Metric::cpu_usage)] / 2);
    sample.set(Metric::cpu_some, random_() % 10'000'000'000);
    sample.set(Metric::pids_current, 1 + random_() % 60);
    sample.set(Metric::populated, 1);
    sample.set(Metric::cpu_limit, member.kind == held ? 200'000 : kNoLimit);
    sample.set(Metric::memory_high_limit, member.kind == bound ? std::uint64_t{512} << 20 : kNoLimit);
    sample.set(Metric::memory_max_limit, n % 2 == 0 ? std::uint64_t{1} << 30 : kNoLimit);
    frame_.samples.push_back(sample);
    members_.push_back(member);
    ++frame_.generation;
  }

  void use(Sample& sample, double usec, double user_share) {
    const std::uint64_t used = positive(usec);
    add(sample, Metric::cpu_usage, used);
    add(sample, Metric::cpu_user, std::min(used, positive(usec * normal(user_share, 0.05))));
    // As the kernel does: what is not user time is system time, each rounded down to microseconds.
    sample.values[index(Metric::cpu_system)] = sample.values[index(Metric::cpu_usage)] -
                                               sample.values[index(Metric::cpu_user)] - (chance(0.5) ? 1 : 0);
  }
  void wait(Sample& sample, Metric some, Metric full, double usec, double full_share) {
    const std::uint64_t waited = positive(usec);
    add(sample, some, waited);
    add(sample, full, std::min(waited, positive(usec * normal(full_share, 0.1))));
  }
  void move_pages(Sample& sample, Metric metric, double pages) {
    auto& value = sample.values[index(metric)];
    const auto change = static_cast<std::int64_t>(normal(0, pages)) * 4096;
    if (static_cast<std::int64_t>(value) + change > 0) value += static_cast<std::uint64_t>(change);
  }

  void live(Member& member, Sample& sample) {
    member.load = std::clamp(member.load * 0.9 + 0.1 + normal(0, 0.08), 0.1, 2.0);
    const double cpu = member.level * member.load;
    switch (member.kind) {
      case idle:
        if (chance(0.25)) use(sample, uniform(40, 400), 0.5);
        if (chance(0.1)) wait(sample, Metric::cpu_some, Metric::cpu_full, uniform(2, 60), 0.9);
        if (chance(0.02)) move_pages(sample, Metric::memory_file, 3);
        break;
      case light:
        use(sample, normal(cpu, cpu * 0.1), 0.6);
        wait(sample, Metric::cpu_some, Metric::cpu_full, normal(cpu * 0.03, cpu * 0.01), 0.9);
        if (chance(0.4)) move_pages(sample, Metric::memory_anon, 5);
        burst(sample, 0.03, 5);
        break;
      case busy:
        use(sample, normal(cpu, cpu * 0.08), 0.75);
        wait(sample, Metric::cpu_some, Metric::cpu_full, normal(cpu * 0.1, cpu * 0.03), 0.3);
        move_pages(sample, Metric::memory_anon, 60);
        if (chance(0.5)) move_pages(sample, Metric::memory_file, 20);
        if (chance(0.1)) sample.values[index(Metric::pids_current)] = 10 + random_() % 50;
        burst(sample, 0.15, 30);
        break;
      case held: {
        use(sample, normal(200'000, 300), 0.9);
        add(sample, Metric::cpu_periods, 10);
        const auto periods = std::min<std::uint64_t>(10, positive(normal(8, 2)));
        add(sample, Metric::cpu_throttled_periods, periods);
        const std::uint64_t throttled = positive(static_cast<double>(periods) * normal(75'000, 3'000));
        add(sample, Metric::cpu_throttled, throttled);
        add(sample, Metric::cpu_throttled_local, throttled);
        wait(sample, Metric::cpu_some, Metric::cpu_full, normal(700'000, 20'000), 0.95);
        if (chance(0.5)) move_pages(sample, Metric::memory_anon, 10);
        break;
      }
      case bound:
        use(sample, normal(cpu, cpu * 0.1), 0.4);
        wait(sample, Metric::memory_some, Metric::memory_full, normal(60'000, 20'000), 0.8);
        wait(sample, Metric::io_some, Metric::io_full, normal(300'000, 60'000), 0.9);
        wait(sample, Metric::cpu_some, Metric::cpu_full, normal(20'000, 5'000), 0.5);
        add(sample, Metric::memory_high, positive(normal(40, 15)));
        add(sample, Metric::memory_refault_file, positive(normal(3'000, 800)));
        move_pages(sample, Metric::memory_anon, 30);
        move_pages(sample, Metric::memory_file, 300);
        burst(sample, 1, 800);
        break;
    }
    auto& current = sample.values[index(Metric::memory_current)];
    current = sample.values[index(Metric::memory_anon)] + sample.values[index(Metric::memory_file)] +
              (std::uint64_t{600} + (member.kind == idle ? 0 : random_() % 4)) * 4096;
    auto& peak = sample.values[index(Metric::memory_peak)];
    peak = std::max(peak, current);
  }

  void burst(Sample& sample, double probability, double size) {
    if (!chance(probability)) return;
    const std::uint64_t reads = positive(size * uniform(0.2, 2)), writes = positive(size * uniform(0.2, 2));
    for (const Metric metric : {Metric::io_rbytes, Metric::io_wbytes, Metric::io_rios, Metric::io_wios})
      sample.known[index(metric)] = Known::measured;
    add(sample, Metric::io_rios, reads);
    add(sample, Metric::io_wios, writes);
    add(sample, Metric::io_rbytes, reads * 4096 * (1 + random_() % 16));
    add(sample, Metric::io_wbytes, writes * 4096 * (1 + random_() % 16));
    wait(sample, Metric::io_some, Metric::io_full, size * uniform(50, 400), 0.9);
  }

  void live_host(std::int64_t& clock) {
    Sample& host = frame_.host;
    add(host, Metric::cpu_usage, positive(normal(800, 30)) * 10'000);  // in ticks, as /proc/stat has it
    add(host, Metric::cpu_user, positive(normal(500, 20)) * 10'000);
    add(host, Metric::cpu_system, positive(normal(250, 10)) * 10'000);
    add(host, Metric::cpu_some, positive(normal(200'000, 30'000)));
    add(host, Metric::io_some, positive(normal(50'000, 10'000)));
    add(host, Metric::io_full, positive(normal(20'000, 5'000)));
    move_pages(host, Metric::memory_current, 2'000);
    move_pages(host, Metric::memory_file, 2'000);
    for (std::size_t n = 0; n < kSources; ++n)
      if (!host_file_of(static_cast<Source>(n)).empty()) host.read_at[n] = tick(clock);
  }

  std::mt19937_64 random_;
  std::normal_distribution<double> gauss_;
  std::uniform_real_distribution<double> even_;
  std::vector<Member> members_;
  Frame frame_;
  std::chrono::nanoseconds due_ = std::chrono::hours(100);
  std::size_t made_ = 0;
};

}  // namespace weir::bench
