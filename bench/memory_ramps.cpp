// SPDX-License-Identifier: MIT
// Memory that grows and shrinks below a hard limit, beside files that are read, under three ways to limit it:
// a fixed limit wide enough for the most, a controller that polls once a second, and `weir control`. How
// often something was killed, how much memory was held, and how long the load waited for it.
//
//   memory_ramps [ROUNDS]      as root, cgroup v2 with a memory controller; weir on PATH
#include <fcntl.h>
#include <sys/mman.h>

#include "cgroup_place.h"
#include "weir_control.h"
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <thread>

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kHard = 128 * kMiB, kSoft = 24 * kMiB, kStep = 8 * kMiB, kFile = 96 * kMiB;
constexpr seconds kRound{40};

/// Ramps from 8 to 100 MiB at several speeds, held and given back, and a file of 96 MiB read on the way.
class MemoryLoad {
 public:
  MemoryLoad(cgroup::Dir& dir, const std::string& file, unsigned seed) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    std::mt19937 random(seed);
    std::vector<char> buffer(kMiB);
    for (off_t at = 0;;) {
      const std::size_t size = (8 + random() % 93) * kMiB;
      const milliseconds pause(10 + random() % 60);  // from one MiB to the next
      auto* const memory = static_cast<char*>(
          ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      if (memory == MAP_FAILED) ::_exit(2);
      for (std::size_t have = 0; have < size; have += kMiB) {
        for (std::size_t page = 0; page < kMiB; page += 4096) memory[have + page] = 1;
        if (::pread(fd, buffer.data(), buffer.size(), at) <= 0) at = 0;
        at += static_cast<off_t>(kMiB);
        std::this_thread::sleep_for(pause);
      }
      std::this_thread::sleep_for(milliseconds(random() % 2000));
      ::munmap(memory, size);
      std::this_thread::sleep_for(seconds(2));
    }
  }
  MemoryLoad(const MemoryLoad&) = delete;
  MemoryLoad& operator=(const MemoryLoad&) = delete;
  ~MemoryLoad() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

double number_after(const std::string& text, std::string_view key) {
  const std::size_t at = text.find(key);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + key.size(), nullptr);
}

struct Seen {
  double held = 0, limit = 0, waited = 0;  ///< bytes on average, bytes on average, seconds
  double kills = 0;
  int rounds = 0;
};

double limit_of(const cgroup::Dir& dir) {
  const std::string text = must(dir.read("memory.high"));
  return text.starts_with("max") ? static_cast<double>(kHard) : std::strtod(text.c_str(), nullptr);
}

/// Up by a step when the limit was hit in the last second, down by one when that much is not used.
class MemoryPoller {
 public:
  explicit MemoryPoller(cgroup::Dir& dir) : dir_(dir) {}
  void look() {
    const double hit = number_after(must(dir_.read("memory.events")), "high ");
    const double used = std::strtod(must(dir_.read("memory.current")).c_str(), nullptr);
    const double limit = limit_of(dir_), step = kStep;
    double to = hit > hit_ ? limit + step : used < limit - 1.2 * step ? limit - step : limit;
    hit_ = hit;
    to = std::clamp(to, static_cast<double>(kSoft), static_cast<double>(kHard));
    if (to != limit) must(dir_.write("memory.high", fmt::format("{}", static_cast<std::uint64_t>(to))));
  }

 private:
  cgroup::Dir& dir_;
  double hit_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 3;
  const std::string file = fmt::format("/var/tmp/weir-memory-ramps-{}", ::getpid());
  {
    std::ofstream out(file, std::ios::binary);
    const std::vector<char> zeros(kMiB);
    for (std::size_t n = 0; n < kFile / kMiB; ++n)
      out.write(zeros.data(), static_cast<std::streamsize>(kMiB));
  }
  CgroupPlace place("+memory");
  constexpr std::array kWays = {"fixed at the hard limit", "polling once a second", "weir control"};
  std::array<Seen, kWays.size()> all;
  int made = 0;
  for (int round = 0; round < rounds; ++round)
    for (std::size_t way = 0; way < kWays.size(); ++way) {
      const std::string name = fmt::format("docker-{:064x}.scope", made++);
      const auto dir = place.make(name);
      must(dir->write("memory.max", fmt::format("{}", kHard + 8 * kMiB)));
      must(dir->write("memory.swap.max", "0"));
      must(dir->write("memory.high", fmt::format("{}", way == 0 ? kHard : kSoft)));
      std::optional<WeirControl> control;
      if (way == 2) {
        control.emplace(std::vector{place.path(name)},
                        "memory: {soft: 24M, hard: 128M, floor: 24M, step: 8M, cooldown: 100ms, parameters: "
                        "{margin: 0.1, calm: 1}}");
      }
      MemoryPoller poller(*dir);
      Seen& seen = all[way];
      const MemoryLoad load(*dir, file, static_cast<unsigned>(round));
      const auto begin = std::chrono::steady_clock::now();
      int looks = 0;
      double held = 0, limit = 0;
      for (auto at = begin; at < begin + kRound; at += milliseconds(50)) {
        std::this_thread::sleep_until(at);
        held += std::strtod(must(dir->read("memory.current")).c_str(), nullptr);
        limit += limit_of(*dir);
        if (++looks % 20 == 0 && way == 1) poller.look();
      }
      seen.held += held / looks;
      seen.limit += limit / looks;
      seen.waited += number_after(must(dir->read("memory.pressure")), "total=") / 1e6;
      seen.kills += number_after(must(dir->read("memory.events")), "oom_kill ");
      ++seen.rounds;
    }
  fmt::print("ramps of 8 to 100 MiB beside a file of {} MiB; {} rounds of {} s each\n", kFile / kMiB, rounds,
             kRound.count());
  for (std::size_t way = 0; way < kWays.size(); ++way) {
    const Seen& seen = all[way];
    fmt::print("  {:24} held {:6.1f} MiB, limit {:6.1f} MiB, waited {:6.2f} s a round, killed {}\n",
               kWays[way], seen.held / seen.rounds / kMiB, seen.limit / seen.rounds / kMiB,
               seen.waited / seen.rounds, seen.kills);
  }
  std::filesystem::remove(file);
  return all[2].kills == 0 ? 0 : 1;
}
