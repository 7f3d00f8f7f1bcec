// SPDX-License-Identifier: MIT
// Whether Weir's pressure totals are right, and leave those of others right: the stall time of a group that
// is busy for 2, 30 and 100 % of the time, as a reader finds it who reads once a second and is alone, and as
// Weir tells it with one watch and two tops running. In turns, since the reader would itself be a second one.
// The group: two processes on one CPU, so that one waits while the other runs.
//
//   pressure_totals [SECONDS [ROUNDS]]      as root, on a host with a cgroup2 mount; weir on PATH
#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>

#include "cgroup_place.h"
#include "spread.h"
#include <chrono>
#include <cmath>
#include <filesystem>
#include <optional>
#include <thread>

#include "weir/base/clock.h"
#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/model/frame.h"
#include "weir/sample/board.h"
#include "weir/sample/parse.h"

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr double kMostPercent = 2;

struct Duty {
  int percent;
  nanoseconds busy, period;
};

/// `busy` of each `period` of CPU time, on the last CPU.
[[noreturn]] void work(const Duty& duty) {
  cpu_set_t last;
  CPU_ZERO(&last);
  CPU_SET(static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN) - 1), &last);
  ::sched_setaffinity(0, sizeof last, &last);
  const auto cpu_time = [] {
    struct timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
  };
  for (;;) {
    // The two begin each period together: the same multiple of it on the same clock.
    const nanoseconds now = std::chrono::steady_clock::now().time_since_epoch();
    const nanoseconds begin = (now / duty.period + 1) * duty.period;
    if (duty.percent < 100) std::this_thread::sleep_until(std::chrono::steady_clock::time_point(begin));
    const nanoseconds until = cpu_time() + duty.busy;
    while (cpu_time() < until) {
    }
  }
}

class Worker {
 public:
  Worker(cgroup::Dir& dir, const Duty& duty) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    work(duty);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

class Weir {
 public:
  Weir(const std::string& run_dir, const std::vector<std::string>& words) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    const std::string mount = must(cgroup::find_mount_point());
    std::vector<const char*> arguments = {"weir", "--run-dir", run_dir.c_str(), "--cgroup-root",
                                          mount.c_str()};
    for (const std::string& word : words) arguments.push_back(word.c_str());
    arguments.push_back(nullptr);
    ::execvp("weir", const_cast<char* const*>(arguments.data()));
    ::_exit(127);
  }
  Weir(const Weir&) = delete;
  Weir& operator=(const Weir&) = delete;
  ~Weir() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

/// Share of the time in which some waited, as one reader finds it alone.
double alone(const std::string& file, seconds span) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[512];
  const auto total = [&] {
    const ssize_t size = ::pread(fd.get(), buffer, sizeof buffer, 0);
    Sample sample;
    if (size <= 0 || !sample::parse(Source::cpu_pressure, {buffer, static_cast<std::size_t>(size)}, sample))
      give_up(make_error(ErrorKind::failed, file, "cannot be read"));
    return static_cast<double>(*sample.get(Metric::cpu_some));
  };
  total();
  std::this_thread::sleep_for(seconds(1));
  const double before = total();
  const auto begin = std::chrono::steady_clock::now();
  double after = before;
  for (seconds n(0); n < span; ++n) {
    std::this_thread::sleep_until(begin + n + seconds(1));
    after = total();
  }
  return (after - before) / 1e6 /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The same as Weir's frames tell it.
double told(const std::string& run_dir, const std::string& cgroup, seconds span) {
  const Weir watch(run_dir, {"watch", "--no-log"});
  std::this_thread::sleep_for(seconds(6));  // it tries its sources first
  const Weir top(run_dir, {"--json", "top"}), other(run_dir, {"--json", "top"});
  std::this_thread::sleep_for(seconds(2));
  auto board = must(sample::BoardReader::open(run_dir));
  std::optional<Sample> first;
  for (;;) {
    std::this_thread::sleep_for(milliseconds(100));
    const auto frame = must(board.read());
    if (!frame) continue;
    for (std::size_t n = 0; n < frame->subjects.size(); ++n) {
      if (frame->subjects[n].container.cgroup != cgroup) continue;
      const Sample& sample = frame->samples[n];
      if (!first) first = sample;
      const nanoseconds passed(sample.read_at[index(Source::cpu_pressure)] -
                               first->read_at[index(Source::cpu_pressure)]);
      if (passed >= span - milliseconds(500))
        return rate(*first, sample, Metric::cpu_some).value_or(NAN) / 1e6;
    }
  }
}

int run(seconds span, std::size_t rounds) {
  CgroupPlace place("");
  const std::string name = fmt::format("docker-{:064x}.scope", 1);
  const auto dir = place.make(name);
  const std::string run_dir = fmt::format("/run/weir-pressure-{}", ::getpid());
  struct utsname host{};
  ::uname(&host);
  fmt::print("pressure_totals: {} rounds of {} s, {}\n", rounds, span.count(), host.release);
  bool met = true;
  for (const Duty& duty :
       {Duty{2, milliseconds(1), milliseconds(50)}, Duty{30, milliseconds(3), milliseconds(20)},
        Duty{100, milliseconds(10), milliseconds(10)}}) {
    const Worker one(*dir, duty), two(*dir, duty);
    std::vector<double> difference, reader, weir;
    for (std::size_t round = 0; round < rounds; ++round) {
      reader.push_back(alone(place.file(name, "cpu.pressure"), span));
      weir.push_back(told(run_dir, place.path(name), span));
      difference.push_back(100 * (weir.back() - reader.back()) / reader.back());
    }
    const double apart = spread(difference).median;
    const bool within = std::abs(apart) <= kMostPercent;
    met = met && within;
    fmt::print(
        "  busy {:3} %: some waited {:6.3f} % by a reader alone, {:6.3f} % by weir; apart {:+.2f} % "
        "({:+.2f} .. {:+.2f}), target within {} %: {}\n",
        duty.percent, 100 * spread(reader).median, 100 * spread(weir).median, apart, spread(difference).q1,
        spread(difference).q3, kMostPercent, within ? "met" : "missed");
    std::fflush(stdout);
  }
  std::filesystem::remove_all(run_dir);
  return met ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto span = argc > 1 ? parse_u64(argv[1]) : 20U;
  const auto rounds = argc > 2 ? parse_u64(argv[2]) : 5U;
  if (!span || !rounds || *span < 2 || *span > 3600 || *rounds < 1) {
    fmt::print(stderr, "usage: pressure_totals [SECONDS [ROUNDS]]\n");
    return 2;
  }
  return run(seconds(static_cast<std::int64_t>(*span)), *rounds);
}
