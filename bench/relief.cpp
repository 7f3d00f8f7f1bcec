// SPDX-License-Identifier: MIT
// From the first throttle of a process to its running again under a raised limit: by `weir control`, by a
// bare reactor (BPF wakes it, one pwrite, nothing decided or journalled), and by a controller that polls once
// a second. A process in a cgroup of each, held to a fifth of a CPU, begins to spin; the three take turns.
//
//   relief [N]      as root, cgroup v2 with a cpu controller; weir on PATH
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include "cgroup_place.h"
#include "spread.h"
#include "weir_control.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include "weir/base/fd.h"
#include "weir/bpf/onset.h"

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view kSoft = "20000 100000", kRaised = "60000 100000";

nanoseconds realtime() { return std::chrono::system_clock::now().time_since_epoch(); }
double in_ms(nanoseconds span) { return std::chrono::duration<double, std::milli>(span).count(); }

struct Gap {
  std::int64_t from = 0, to = 0;  ///< CLOCK_REALTIME, ns: it did not run
};
struct Shared {
  std::atomic<bool> go{false};
  std::atomic<int> gaps{0};
  std::array<Gap, 256> gap;
};

/// A process in the cgroup that spins while it may, and notes when it did not run.
class Worker {
 public:
  explicit Worker(cgroup::Dir& dir)
      : shared_(static_cast<Shared*>(
            ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    new (shared_) Shared;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    for (;;) {
      while (!shared_->go) ::usleep(1000);
      for (nanoseconds last = realtime(); shared_->go;) {
        const nanoseconds now = realtime();
        const int n = shared_->gaps;
        if (now - last > milliseconds(1) && n < static_cast<int>(shared_->gap.size())) {
          shared_->gap[static_cast<std::size_t>(n)] = {last.count(), now.count()};
          shared_->gaps = n + 1;
        }
        last = now;
      }
    }
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::munmap(shared_, sizeof(Shared));
  }
  void go() {
    shared_->gaps = 0;
    shared_->go = true;
  }
  void stop() { shared_->go = false; }
  /// When it ran again after `written`; nullopt: it has not yet, or nobody can say.
  [[nodiscard]] std::optional<nanoseconds> runs_after(nanoseconds written) const {
    for (int n = 0; n < shared_->gaps; ++n) {
      const Gap& gap = shared_->gap[static_cast<std::size_t>(n)];
      if (gap.from <= written.count() && written.count() <= gap.to) return nanoseconds(gap.to);
      if (gap.from > written.count()) return written;
    }
    return std::nullopt;
  }
  /// When it first did not run for longer than a preemption takes.
  [[nodiscard]] std::optional<nanoseconds> first_gap(nanoseconds longer) const {
    for (int n = 0; n < shared_->gaps; ++n) {
      const Gap& gap = shared_->gap[static_cast<std::size_t>(n)];
      if (gap.to - gap.from > longer.count()) return nanoseconds(gap.from);
    }
    return std::nullopt;
  }

 private:
  Shared* shared_;
  pid_t pid_ = -1;
};

/// Raises the limit of one cgroup when `due` says so; what is measured against.
class Raiser {
 public:
  Raiser(const cgroup::Dir& dir, std::function<bool()> due)
      : file_(must(dir.keep("cpu.max", cgroup::Access::read_write))),
        thread_([this, due = std::move(due)](const std::stop_token& stop) {
          while (!stop.stop_requested())
            if (due() && !done_.exchange(true)) {
              must(file_->write(kRaised));
              raised_ = realtime().count();
            }
        }) {}
  void reset() {
    must(file_->write(kSoft));
    done_ = false;
  }
  [[nodiscard]] nanoseconds raised() const { return nanoseconds(raised_); }

 private:
  std::unique_ptr<cgroup::File> file_;
  std::atomic<bool> done_{true};
  std::atomic<std::int64_t> raised_{0};
  std::jthread thread_;
};

std::uint64_t throttled(cgroup::File& cpu_stat) {
  const std::string text = must(cpu_stat.read());
  const std::size_t at = text.find("nr_throttled ");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + 13, nullptr, 10);
}

template <typename Condition>
bool wait(Condition condition, seconds longest) {
  for (const nanoseconds end = realtime() + longest; realtime() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

/// One burst, from the first throttle to its running again; nullopt where that cannot be told.
std::optional<double> burst(Worker& worker, const std::function<nanoseconds()>& raised) {
  std::this_thread::sleep_for(milliseconds(400));  // a whole period with nothing used
  const nanoseconds begin = realtime();
  worker.go();
  std::optional<nanoseconds> runs;
  const bool came = wait(
      [&] {
        if (raised() > begin) runs = worker.runs_after(raised());
        return runs.has_value();
      },
      seconds(5));
  worker.stop();
  const auto first = worker.first_gap(milliseconds(1));
  if (!came || !first || *first > *runs) return std::nullopt;
  return in_ms(*runs - *first);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 30;
  CgroupPlace place;
  std::array<std::unique_ptr<cgroup::Dir>, 3> dirs;
  std::array<std::string, 3> names;
  for (std::size_t n = 0; n < dirs.size(); ++n) {
    names[n] = fmt::format("docker-{:064x}.scope", n);
    dirs[n] = place.make(names[n]);
    must(dirs[n]->write("cpu.max", kSoft));
  }
  Worker controlled(*dirs[0]), reacted(*dirs[1]), polled(*dirs[2]);
  auto onset = must(bpf::Onset::open(milliseconds(100)));
  must(onset.watch(dirs[1]->id()));
  Raiser bare(*dirs[1], [&] {
    pollfd poll{.fd = onset.fd(), .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, 100) <= 0) return false;
    std::vector<onset_event> events;
    onset.drain(events);
    return std::ranges::any_of(events,
                               [](const onset_event& event) { return event.kind == ONSET_THROTTLED; });
  });
  const auto cpu_stat = must(dirs[2]->keep("cpu.stat", cgroup::Access::read));
  std::uint64_t seen = throttled(*cpu_stat);
  Raiser polling(*dirs[2], [&] {
    std::this_thread::sleep_for(seconds(1));
    const std::uint64_t now = throttled(*cpu_stat);
    return std::exchange(seen, now) < now;
  });
  const WeirControl control(
      {place.path(names[0])},
      "cpu: {soft: 0.2, hard: 0.6, floor: 0.2, step: 0.4, cooldown: 200ms, parameters: {calm: 0.5}}");

  std::array<std::vector<double>, 3> spans;
  std::array<int, 3> untold{};
  const auto note = [&](std::size_t which, std::optional<double> span) {
    if (span)
      spans[which].push_back(*span);
    else
      ++untold[which];
  };
  for (int n = 0; n < count; ++n) {
    if (!wait([&] { return must(dirs[0]->read("cpu.max")).starts_with("20000 "); }, seconds(20))) return 1;
    note(0, burst(controlled, [&] { return control.raised(); }));
    bare.reset();
    note(1, burst(reacted, [&] { return bare.raised(); }));
    polling.reset();
    note(2, burst(polled, [&] { return polling.raised(); }));
  }
  fmt::print("first throttle -> running again under the raised limit, ms; n {} each\n", count);
  constexpr std::array kWhat = {"weir control", "bare: BPF wakes, one pwrite", "polling once a second"};
  for (std::size_t n = 0; n < spans.size(); ++n) {
    if (spans[n].empty()) continue;
    std::ranges::sort(spans[n]);
    const Spread found = spread(spans[n]);
    const auto at = static_cast<std::size_t>(0.99 * static_cast<double>(spans[n].size() - 1) + 0.5);
    fmt::print("  {:28} p50 {:8.2f}   quartiles {:8.2f} .. {:8.2f}   p99 {:8.2f}   not told {}\n", kWhat[n],
               found.median, found.q1, found.q3, spans[n][at], untold[n]);
  }
  return 0;
}
