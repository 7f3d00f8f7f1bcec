// SPDX-License-Identifier: MIT
// What was learned, against `step`, on loads that it was not learned from. First `weir control` by step over
// some loads writes samples, and `weir policy train` learns from them; then other loads take turns under a
// fixed limit, a controller that polls once a second, step, and learned with that model.
//
//   learned_patterns [SECONDS [ROUNDS]]      as root, cgroup v2 with a cpu controller; weir on PATH
//
// SECONDS: of learning; 240 unless given.
#include "cpu_load.h"
#include "load_patterns.h"
#include "weir_control.h"
#include <array>
#include <optional>
#include <tuple>

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::seconds;

constexpr std::string_view kBounds =
    "soft: 0.1, hard: 0.9, floor: 0.06, step: 0.05, cooldown: 200ms, parameters: {margin: 0.05, calm: 1}";
constexpr std::size_t kAtOnce = std::tuple_size_v<Loads>;
constexpr seconds kRound{60};

/// The loads, each in a cgroup of its own.
class Running {
 public:
  Running(CgroupPlace& place, const Loads& loads) {
    static int made = 0;
    for (std::size_t n = 0; n < loads.size(); ++n) {
      const std::string name = fmt::format("docker-{:064x}.scope", made++);
      dirs_.push_back(place.make(name));
      paths_.push_back(place.path(name));
    }
  }
  void start(const Loads& loads) {
    for (std::size_t n = 0; n < loads.size(); ++n)
      running_.push_back(std::make_unique<CpuLoad>(*dirs_[n], loads[n]));
  }
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }
  [[nodiscard]] cgroup::Dir& dir(std::size_t n) { return *dirs_[n]; }
  [[nodiscard]] CpuSeen watch(seconds span, std::vector<Poller>& pollers) {
    std::array<CpuSeen, kAtOnce> seen;
    std::array<std::jthread, kAtOnce> threads;
    for (std::size_t n = 0; n < kAtOnce; ++n)
      threads[n] = std::jthread([&, n] {
        seen[n] = watch_cpu(
            *dirs_[n], span, pollers.empty() ? std::function<void()>() : [&] { pollers[n].look(); });
      });
    for (std::jthread& thread : threads) thread.join();
    CpuSeen sum;
    for (const CpuSeen& each : seen) sum += each;
    return sum;
  }

 private:
  std::vector<std::unique_ptr<cgroup::Dir>> dirs_;
  std::vector<std::string> paths_;
  std::vector<std::unique_ptr<CpuLoad>> running_;
};

void run(const std::string& command) {
  if (std::system(command.c_str()) == 0) return;
  fmt::print(stderr, "bench: {} failed\n", command);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const seconds learning(argc > 1 ? std::atoi(argv[1]) : 240);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 2;
  const std::string folder = fmt::format("/run/weir-learned-{}", ::getpid());
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  const std::string samples = folder + "/samples.jsonl", model = folder + "/model.json";
  CgroupPlace place;
  std::vector<Poller> nobody;
  {
    Running loads(place, kLearnedFrom);
    const WeirControl control(loads.paths(), fmt::format("cpu: {{{}}}", kBounds),
                              fmt::format("outputs: {{samples: {}}}\n", samples));
    loads.start(kLearnedFrom);
    (void)loads.watch(learning, nobody);
  }
  run(fmt::format("weir policy train --samples {} --output {}", samples, model));

  constexpr std::array kWays = {"fixed at 0.3 CPUs", "polling once a second", "step", "learned"};
  std::array<CpuSeen, kWays.size()> all;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      Running loads(place, kLater);
      std::vector<Poller> pollers;
      for (std::size_t n = 0; n < kAtOnce; ++n) {
        must(loads.dir(n).write("cpu.max", way == 0 ? "30000 100000" : "10000 100000"));
        if (way == 1)
          pollers.emplace_back(loads.dir(n), Poller::Bounds{.low = 0.06, .high = 0.9, .step = 0.05});
      }
      std::optional<WeirControl> control;
      if (way == 2) control.emplace(loads.paths(), fmt::format("cpu: {{{}}}", kBounds));
      if (way == 3)
        control.emplace(loads.paths(), fmt::format("cpu: {{policy: learned, {}}}", kBounds),
                        fmt::format("ml: {{model_path: {}, mode: active}}\n", model));
      loads.start(kLater);
      all[way] += loads.watch(kRound, pollers);
    }
  fmt::print("{} loads at once, which it was not learned from; {} rounds of {} s\n", kAtOnce, rounds,
             kRound.count());
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    const CpuSeen& seen = all[way];
    fmt::print("  {:24} throttled {:6.2f} s a minute, used {:.3f} CPUs, limit {:.3f}: slack {:5.1f} %\n",
               kWays[way], seen.throttled * 60 / seen.span, seen.used / seen.span, seen.limit / seen.span,
               100 * seen.slack());
  }
  std::filesystem::remove_all(folder);
  return 0;
}
