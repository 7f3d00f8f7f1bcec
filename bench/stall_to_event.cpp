// SPDX-License-Identifier: MIT
// From a stall's onset to the event in the log of `weir watch`, for each rung of its ladder, beside a bare
// eventfd round trip of the same run. A new cgroup each time, held to a fifth of a CPU, with a process that
// spins: it sees its own onset as the last time that it read before its clock jumps. BPF and reading tell of
// the throttling, PSI triggers of the wait that comes of it (200 ms of a second, so not before that).
//
//   stall_to_event [N]      as root, cgroup v2 with a cpu controller; weir on PATH
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cgroup_place.h"
#include "spread.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "weir/base/fd.h"

namespace {

using namespace weir;
using namespace weir::bench;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds realtime() { return std::chrono::system_clock::now().time_since_epoch(); }

struct Shared {
  std::atomic<bool> go{false};
  std::atomic<std::int64_t> onset{0};  ///< CLOCK_REALTIME, ns
};

bool was_throttled(cgroup::Dir& dir) {
  const auto text = dir.read("cpu.stat");
  return text && text->find("nr_throttled 0\n") == std::string::npos;
}

/// A process in the cgroup that spins once it may, and notes when it was first held.
class Staller {
 public:
  explicit Staller(cgroup::Dir& dir)
      : shared_(static_cast<Shared*>(
            ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    new (shared_) Shared;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!dir.write("cgroup.procs", "0")) ::_exit(1);
    while (!shared_->go) ::usleep(1000);
    for (nanoseconds last = realtime();;) {
      const nanoseconds now = realtime();
      // Others may take the CPU as well: only what the kernel calls throttled is an onset.
      if (now - last > milliseconds(5) && shared_->onset == 0 && was_throttled(dir))
        shared_->onset = last.count();
      last = now;  // what looking took is part of the next span: it may be held in the midst of that
    }
  }
  Staller(const Staller&) = delete;
  Staller& operator=(const Staller&) = delete;
  ~Staller() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::munmap(shared_, sizeof(Shared));
  }
  void go() { shared_->go = true; }
  [[nodiscard]] std::optional<nanoseconds> onset() const {
    const std::int64_t at = shared_->onset;
    return at == 0 ? std::nullopt : std::optional(nanoseconds(at));
  }

 private:
  Shared* shared_;
  pid_t pid_ = -1;
};

/// `weir watch` with one rung, and its log as it grows.
class Watch {
 public:
  explicit Watch(const std::string& sources) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, 1);
      ::execlp("weir", "weir", "--run-dir", (folder_ + "/run").c_str(), "watch", "--log", log().c_str(),
               "--sources", sources.c_str(), nullptr);
      ::_exit(127);
    }
    while (!std::filesystem::exists(log())) std::this_thread::sleep_for(milliseconds(10));
    notify_ = Fd(::inotify_init1(IN_CLOEXEC));
    ::inotify_add_watch(notify_.get(), log().c_str(), IN_MODIFY);
    in_.open(log());
    std::this_thread::sleep_for(seconds(8));  // it tries its sources first, and takes in who is there
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

  /// When an event of that kind about a cgroup whose path ends like that was in the log.
  nanoseconds wait(std::string_view kind, std::string_view cgroup) {
    for (;;) {
      std::string line;
      while (std::getline(in_, line)) {
        const auto event = nlohmann::json::parse(line, nullptr, false);
        if (event.is_discarded() || !event.contains("container")) continue;
        if (event["event"] == kind && event["container"]["cgroup"].get<std::string>().ends_with(cgroup))
          return seen_;
      }
      in_.clear();
      alignas(inotify_event) char buffer[4096];
      if (::read(notify_.get(), buffer, sizeof buffer) < 0) std::exit(1);
      seen_ = realtime();
    }
  }

 private:
  [[nodiscard]] std::string log() const { return folder_ + "/events.jsonl"; }
  std::string folder_ = fmt::format("/run/weir-stall-{}", ::getpid());
  pid_t pid_ = -1;
  Fd notify_;
  std::ifstream in_;
  nanoseconds seen_{0};
};

std::vector<double> eventfd_round_trips(int count) {
  const Fd there(::eventfd(0, EFD_CLOEXEC)), back(::eventfd(0, EFD_CLOEXEC));
  std::thread other([&] {
    for (int n = 0; n < count; ++n) {
      eventfd_t value = 0;
      ::eventfd_read(there.get(), &value);
      ::eventfd_write(back.get(), 1);
    }
  });
  std::vector<double> spans;
  for (int n = 0; n < count; ++n) {
    const auto begin = std::chrono::steady_clock::now();
    eventfd_t value = 0;
    ::eventfd_write(there.get(), 1);
    ::eventfd_read(back.get(), &value);
    spans.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  other.join();
  return spans;
}

std::vector<double> stalls(CgroupPlace& place, const std::string& sources, const char* kind, int count) {
  static int made = 0;
  std::vector<double> spans;
  Watch watch(sources);
  for (int n = 0; n < count; ++n) {
    const std::string name = fmt::format("docker-{:064x}.scope", made++);
    const auto dir = place.make(name);
    must(dir->write("cpu.max", "20000 100000"));
    Staller staller(*dir);
    watch.wait("container_started", name);
    std::this_thread::sleep_for(seconds(5));  // one that has just started has no triggers yet
    staller.go();
    const nanoseconds told = watch.wait(kind, name);
    while (!staller.onset()) std::this_thread::sleep_for(milliseconds(1));
    spans.push_back(std::chrono::duration<double, std::milli>(told - *staller.onset()).count());
  }
  return spans;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 15;
  CgroupPlace place;
  fmt::print("stall onset -> event in the log, ms; n {} each\n", count);
  const auto show = [](const char* what, const std::vector<double>& spans) {
    const Spread found = spread(spans);
    fmt::print("  {:34} p50 {:8.3f}   quartiles {:8.3f} .. {:8.3f}   max {:8.3f}\n", what, found.median,
               found.q1, found.q3, *std::ranges::max_element(spans));
    std::fflush(stdout);
  };
  show("bare eventfd round trip", eventfd_round_trips(1000));
  show("BPF: cpu_throttled", stalls(place, "bpf", "cpu_throttled", count));
  show("PSI trigger: psi_spike (200 ms in 1 s)", stalls(place, "poll", "psi_spike", count));
  show("reading once a second: cpu_throttled", stalls(place, "read", "cpu_throttled", count));
  return 0;
}
