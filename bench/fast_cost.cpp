// SPDX-License-Identifier: MIT
// What `weir watch --fast` costs beside N cgroups, against a bare loop that preads the same files as often:
// cpu.stat, cpu.stat.local and memory.current ten times a second, everything once. Processes of their own, in
// turns, by the time that the kernel counts for them (schedstat). In each cgroup a process sleeps.
//
//   fast_cost [N [ROUNDS]]      as root, on a host with a cgroup2 mount; weir on PATH
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "cgroup_place.h"
#include "spread.h"
#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <thread>

#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/sample/sampler.h"

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kMostRatio = 1.5;
constexpr seconds kSpan{20}, kStart{6};

class Process {
 public:
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&&) = delete;
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  /// CPU time, ms.
  [[nodiscard]] double used() const {
    double ns = 0;
    std::ifstream(fmt::format("/proc/{}/schedstat", pid_)) >> ns;
    return ns / 1e6;
  }
  [[nodiscard]] std::string peak() const {
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::string(trim(line.substr(6)));
    return "?";
  }

 private:
  pid_t pid_;
};

/// A process that only ends when it is told to.
template <typename Work>
Process begin(Work work) {
  const pid_t pid = ::fork();
  if (pid != 0) return Process(pid);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  work();
  ::_exit(1);
}

void bare_loop(const CgroupPlace& place, const std::vector<std::string>& names) {
  std::array<std::vector<Fd>, kSources> files;
  for (std::size_t source = 0; source < kSources; ++source)
    for (const std::string& name : names) {
      Fd fd(::open(place.file(name, file_of(static_cast<Source>(source))).c_str(), O_RDONLY | O_CLOEXEC));
      if (fd.valid()) files.at(source).push_back(std::move(fd));
    }
  std::vector<char> buffer(16384);
  auto next = std::chrono::steady_clock::now();
  for (std::uint64_t n = 0;; ++n) {
    const sample::Sources wanted = n % 10 == 0 ? sample::all_sources() : sample::fast_sources();
    for (std::size_t source = 0; source < kSources; ++source)
      for (const Fd& fd : files.at(source))
        if (wanted[source] && ::pread(fd.get(), buffer.data(), buffer.size(), 0) < 0) ::_exit(1);
    std::this_thread::sleep_until(next += milliseconds(100));
  }
}

void watch(const std::string& run_dir) {
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {1, 2}) ::dup2(null, fd);
  const std::string mount = must(cgroup::find_mount_point());
  ::execlp("weir", "weir", "--run-dir", run_dir.c_str(), "--cgroup-root", mount.c_str(), "watch", "--fast",
           "--no-log", nullptr);
}

int run(std::size_t count, std::size_t rounds) {
  struct rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto available =
      must(must(cgroup::open_root(must(cgroup::find_mount_point())))->read("cgroup.controllers"));
  CgroupPlace place(available.find("memory") == std::string::npos ? "" : "+cpu +memory +io +pids");
  std::vector<std::string> names;
  std::vector<Process> sleepers;
  for (std::size_t n = 0; n < count; ++n) {
    names.push_back(fmt::format("docker-{:064x}.scope", n));
    const auto dir = place.make(names.back());
    sleepers.push_back(begin([&] {
      if (dir->write("cgroup.procs", "0"))
        for (;;) ::pause();
    }));
  }
  const std::string run_dir = fmt::format("/run/weir-fast-{}", ::getpid());
  std::vector<double> bare, fast, ratio;
  std::string peak;
  const auto measured = [](const Process& process) {
    std::this_thread::sleep_for(kStart);
    const double before = process.used();
    std::this_thread::sleep_for(kSpan);
    return (process.used() - before) / static_cast<double>(seconds(kSpan).count());
  };
  for (std::size_t round = 0; round < rounds; ++round) {
    bare.push_back(measured(begin([&] { bare_loop(place, names); })));
    const Process watcher = begin([&] { watch(run_dir); });
    fast.push_back(measured(watcher));
    peak = watcher.peak();
    ratio.push_back(fast.back() / bare.back());
  }
  std::filesystem::remove_all(run_dir);
  struct utsname host{};
  ::uname(&host);
  const Spread found = spread(ratio);
  fmt::print("fast_cost: {} cgroups at 10 Hz, {} rounds of {} s each, {}\n", count, rounds, kSpan.count(),
             host.release);
  fmt::print("  bare pread loop       {:6.2f} ms of CPU a second ({:.2f} % of a core)\n", spread(bare).median,
             spread(bare).median / 10);
  fmt::print("  weir watch --fast     {:6.2f} ms of CPU a second ({:.2f} %), {} at the most\n",
             spread(fast).median, spread(fast).median / 10, peak);
  fmt::print("  x{:.2f} ({:.2f} .. {:.2f}), target <= {}: {}\n", found.median, found.q1, found.q3, kMostRatio,
             found.median <= kMostRatio ? "met" : "missed");
  return found.median <= kMostRatio ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? parse_u64(argv[1]) : 100U;
  const auto rounds = argc > 2 ? parse_u64(argv[2]) : 5U;
  if (!count || !rounds || *count < 1 || *count > 1000 || *rounds < 1) {
    fmt::print(stderr, "usage: fast_cost [N [ROUNDS]]\n");
    return 2;
  }
  return run(*count, *rounds);
}
