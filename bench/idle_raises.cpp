// SPDX-License-Identifier: MIT
// Raises that could not help: `weir control` and a controller that polls once a second over loads that a
// limit above them holds, loads that others take the CPU from, and, to show that it would raise, loads that
// nothing but their own limit holds. A raise could not help where the kernel counted less than 2 ms of
// throttling by this very limit since the raise before, or where the limit above was no wider.
//
//   idle_raises [ROUNDS]     as root, cgroup v2 with a cpu controller; weir on PATH
#include "cpu_load.h"
#include "weir_control.h"
#include <array>
#include <optional>
#include <random>

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kRound{8};
constexpr double kHard = 0.95, kNoticed = 0.002;

enum Kind : std::size_t { overloaded, below_a_limit, free_to_go, kKinds };
constexpr std::array kNames = {"others take the CPU", "a limit above holds", "its own limit holds"};

struct Raised {
  int rounds = 0, raises = 0, helpless = 0;
  double throttled = 0;  ///< seconds, by its own limit
};

std::string cpu_max(double cpus) { return fmt::format("{} 100000", static_cast<int>(cpus * 1e5)); }

/// One cgroup below another, both of the bench's own.
class Pair {
 public:
  Pair(CgroupPlace& place, const std::string& above, const std::string& name)
      : parent_(place.make(above)), name_(name), path_(fmt::format("{}/{}", place.path(above), name)) {
    must(parent_->write("cgroup.subtree_control", "+cpu"));
    child_ = must(parent_->make(name_));
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    child_.reset();
    (void)parent_->remove(name_);
  }
  [[nodiscard]] cgroup::Dir& parent() const { return *parent_; }
  [[nodiscard]] cgroup::Dir& child() const { return *child_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::unique_ptr<cgroup::Dir> parent_, child_;
  std::string name_, path_;
};

/// Counts the raises of a limit, and those that could not help.
class Judge {
 public:
  Judge(const cgroup::Dir& dir, double above)
      : dir_(dir), above_(above), limit_(cpu_limit(dir)), throttled_(cpu_stat(dir, "throttled_usec")) {}
  void look(Raised& raised) {
    const double limit = cpu_limit(dir_), throttled = cpu_stat(dir_, "throttled_usec");
    if (limit > limit_) {
      ++raised.raises;
      if (throttled - throttled_ < kNoticed || limit_ >= above_) ++raised.helpless;
      raised.throttled += throttled - throttled_;
      throttled_ = throttled;
    }
    limit_ = limit;
  }

 private:
  const cgroup::Dir& dir_;
  double above_, limit_, throttled_;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  std::mt19937 random(7);
  const auto between = [&](double low, double high) {
    return std::uniform_real_distribution(low, high)(random);
  };
  CgroupPlace place;
  std::array<std::array<Raised, kKinds>, 2> all{};
  int made = 0;
  std::array<std::unique_ptr<cgroup::Dir>, 6> others;
  for (std::size_t n = 0; n < others.size(); ++n) others[n] = place.make(fmt::format("other{}", n));
  // The polling one has its turn right after, with the same numbers.
  for (int round = 0; round < rounds; ++round)
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      const auto count = static_cast<std::size_t>(between(3, 6.99));
      const double fair = 2.0 / static_cast<double>(count + 1);  // of two CPUs
      const double soft = kind == overloaded ? std::min(fair + between(0.1, 0.3), 0.9) : between(0.2, 0.5);
      const double above = kind == below_a_limit ? soft - between(0, 0.1) : 2;
      const bool bursts = between(0, 1) < 0.5;
      const auto wanted = [bursts](nanoseconds since) {
        return !bursts || since % seconds(2) < seconds(1) ? 1.0 : 0.2;
      };
      for (std::size_t way = 0; way < 2; ++way) {
        const Pair pair(place, fmt::format("above{}", made), fmt::format("docker-{:064x}.scope", made));
        ++made;
        if (kind == below_a_limit) must(pair.parent().write("cpu.max", cpu_max(above)));
        must(pair.child().write("cpu.max", cpu_max(soft)));
        std::optional<WeirControl> control;
        if (way == 0) {
          control.emplace(
              std::vector{pair.path()},
              fmt::format("cpu: {{soft: {0}, hard: {1}, floor: {0}, step: 0.03, cooldown: 200ms}}", soft,
                          kHard));
        }
        std::vector<Spinner> spinners;
        for (std::size_t n = 0; kind == overloaded && n < count; ++n) spinners.emplace_back(*others[n]);
        Poller poller(pair.child(), {.low = soft, .high = kHard, .step = 0.03});
        Judge judge(pair.child(), above);
        Raised& raised = all[way][kind];
        ++raised.rounds;
        const CpuLoad load(pair.child(), wanted);
        const auto begin = std::chrono::steady_clock::now();
        int looks = 0;
        for (auto at = begin; at < begin + kRound; at += std::chrono::milliseconds(20)) {
          std::this_thread::sleep_until(at);
          judge.look(raised);
          if (way == 1 && ++looks % 50 == 0) poller.look();
        }
      }
    }
  fmt::print("{} rounds of {} s of each kind\n", rounds, kRound.count());
  constexpr std::array kWays = {"weir control", "polling once a second"};
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    for (std::size_t way = 0; way < kWays.size(); ++way)
      fmt::print("  {:20} {:22} {:4} raises, {} of them could not help\n", kNames[kind], kWays[way],
                 all[way][kind].raises, all[way][kind].helpless);
  return all[0][free_to_go].raises > 0 && all[0][overloaded].helpless + all[0][below_a_limit].helpless == 0
             ? 0
             : 1;
}
