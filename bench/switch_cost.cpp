// SPDX-License-Identifier: MIT
// What bpf::LostTime costs: context switches per second of two processes on one CPU that wake each other
// through pipes and do nothing else, in a cgroup of their own:
//
//   without    not loaded
//   beside     loaded, another cgroup is watched
//   watched    loaded, their cgroup is watched
//
//   vm/run --build build/release -- build/release/bin/switch_cost [ROUNDS]
//
// The three are measured in turn, ROUNDS (20) times ten spans of 50 ms each. Of all spans the median and the
// fastest tenth are told: what else the machine does only ever makes it slower.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "cgroup_place.h"
#include "spread.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "weir/base/clock.h"
#include "weir/base/text.h"
#include "weir/bpf/lost_time.h"

namespace {

using namespace weir;
using namespace std::chrono_literals;
using bench::must;

constexpr auto kSpan = 50ms;
constexpr int kSpans = 10;

/// Two processes that hand a byte to each other; each hand-over is one switch.
class PingPong {
 public:
  explicit PingPong(cgroup::Dir& dir)
      : turns_(static_cast<std::atomic<std::uint64_t>*>(::mmap(
            nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    std::array<int, 2> there{}, back{};
    if (turns_ == MAP_FAILED || ::pipe(there.data()) != 0 || ::pipe(back.data()) != 0)
      bench::give_up(errno_error(errno, "switch_cost", "making pipes"));
    players_.at(0) = start(dir, back[0], there[1], 1);
    players_.at(1) = start(dir, there[0], back[1], 0);
  }
  PingPong(const PingPong&) = delete;
  PingPong& operator=(const PingPong&) = delete;
  ~PingPong() {
    for (const pid_t pid : players_) ::kill(pid, SIGKILL);
    for (const pid_t pid : players_) ::waitpid(pid, nullptr, 0);
  }
  [[nodiscard]] std::uint64_t switches() const { return *turns_; }

 private:
  pid_t start(cgroup::Dir& dir, int from, int to, int first) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    char byte = 0;
    if (!dir.write("cgroup.procs", "0") || ::sched_setaffinity(0, sizeof one, &one) != 0) ::_exit(1);
    if (first == 1 && ::write(to, &byte, 1) != 1) ::_exit(1);
    while (::read(from, &byte, 1) == 1 && ::write(to, &byte, 1) == 1) turns_->fetch_add(1);
    ::_exit(1);
  }

  std::atomic<std::uint64_t>* turns_;
  std::array<pid_t, 2> players_{};
};

double rate(const PingPong& game) {
  const SystemClock clock;
  const auto begin = clock.monotonic();
  const std::uint64_t before = game.switches();
  std::this_thread::sleep_for(kSpan);
  const auto switches = static_cast<double>(game.switches() - before);
  return switches / std::chrono::duration<double>(clock.monotonic() - begin).count();
}

/// What nine of ten spans did not reach.
double fast(std::vector<double> rates) {
  std::ranges::sort(rates);
  return rates[rates.size() * 9 / 10];
}

struct Way {
  std::string_view name;
  std::vector<double> rates;
};

int run(std::uint64_t rounds) {
  struct utsname host{};
  ::uname(&host);
  bench::CgroupPlace place;
  const auto watched = place.make("ping"), other = place.make("other");
  const PingPong game(*watched);
  std::array<Way, 3> ways = {{{"without", {}}, {"beside", {}}, {"watched", {}}}};
  std::string hook;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::size_t way = 0; way < ways.size(); ++way) {
      std::optional<bpf::LostTime> lost;
      if (way > 0) {
        lost = must(bpf::LostTime::open());
        must(lost->watch(way == 1 ? other->id() : watched->id()));
        hook = lost->hook();
      }
      std::this_thread::sleep_for(kSpan);
      for (int span = 0; span < kSpans; ++span) ways.at(way).rates.push_back(rate(game));
    }
  }
  fmt::print("switch_cost: {} CPUs, {}, {}; {} spans of {} ms each\n", ::sysconf(_SC_NPROCESSORS_ONLN),
             host.release, hook, ways[0].rates.size(), kSpan.count());
  fmt::print("  way        switches/s: median  fastest tenth   ns/switch   more\n");
  const double base = 1e9 / fast(ways[0].rates);
  for (const Way& way : ways) {
    const double each = 1e9 / fast(way.rates);
    fmt::print("  {:<9} {:19.0f} {:14.0f} {:11.0f} {:6.0f} ns {:5.1f} %\n", way.name,
               bench::spread(way.rates).median, 1e9 / each, each, each - base, 100 * (each - base) / base);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = argc > 1 ? parse_u64(argv[1]) : 20U;
  if (!rounds || *rounds < 1 || *rounds > 1000) {
    fmt::print(stderr, "usage: switch_cost [ROUNDS]\n");
    return 2;
  }
  return run(*rounds);
}
