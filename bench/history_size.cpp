// SPDX-License-Identifier: MIT
// What a history costs: a simulated host (simulated_host.h) is recorded for some hours, a frame a second and
// an event now and then; then moments and events are looked up.
//
//   build/release/bin/history_size [CONTAINERS [HOURS [SIZE]]]
//
// Exit code 1 if it takes more than 8.7 bytes a container and second, or a moment that was looked up is
// wrong.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "simulated_host.h"
#include "spread.h"
#include <ctime>
#include <filesystem>
#include <random>

#include "weir/base/clock.h"
#include "weir/base/text.h"
#include "weir/history/reader.h"
#include "weir/history/recorder.h"

namespace {

using namespace weir;
using std::chrono::nanoseconds;

constexpr double kMostBytes = 8.7;

double cpu_now() {
  struct timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string event_line(const Frame& frame, std::size_t n) {
  const Subject& subject = frame.subjects[n % frame.subjects.size()];
  return fmt::format(
      R"({{"schema":1,"time":"2026-11-22T03:12:04.123456Z","time_ns":{},"event":"cpu_throttled","state":"begin","scope":"container","container":{{"name":"{}","runtime":"docker","cgroup":"{}","cgroup_id":{},"id":"{}","image":"{}"}},"percent":{}}})",
      frame.time.count(), subject.container.name, subject.container.cgroup, subject.cgroup_id.count(),
      subject.container.id, subject.container.image, 25 + n % 70);
}

std::uint64_t sum_of(const Frame& frame) {
  std::uint64_t sum = 0;
  for (const Sample& sample : frame.samples)
    for (const std::uint64_t value : sample.values) sum = sum * 31 + value;
  return sum;
}

int run(std::size_t containers, double hours, std::uint64_t most_bytes) {
  std::string directory = (std::filesystem::temp_directory_path() / "weir-history-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const auto seconds = static_cast<std::size_t>(hours * 3600);
  auto recorder = history::Recorder::open(directory, {.most_bytes = most_bytes});
  if (!recorder) {
    fmt::print(stderr, "{}\n", recorder.error().message());
    return 1;
  }
  bench::SimulatedHost host(containers, 1);
  std::mt19937_64 random(2);
  struct Checked {
    nanoseconds time;
    std::uint64_t sum;
  };
  std::vector<Checked> checked;
  double spent = 0, worst = 0, samples = 0;
  std::size_t events = 0;
  for (std::size_t n = 0; n < seconds; ++n) {
    const Frame& frame = host.next();
    samples += static_cast<double>(frame.samples.size());
    const double begin = cpu_now();
    bool ok = recorder->add(frame).has_value();
    if (n % 20 == 0) ok = ok && recorder->add_event(frame.time, event_line(frame, ++events)).has_value();
    const double took = cpu_now() - begin;
    if (!ok) return 1;
    spent += took;
    worst = std::max(worst, took);
    if (random() % (seconds / 200 + 1) == 0) checked.push_back({frame.time, sum_of(frame)});
  }
  if (!recorder->flush()) return 1;
  std::uint64_t bytes = 0;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    bytes += entry.file_size();
    ++files;
  }
  struct rusage used{};
  ::getrusage(RUSAGE_SELF, &used);

  const SystemClock clock;
  std::vector<double> looks, event_looks;
  std::size_t wrong = 0;
  for (const Checked& each : checked) {
    const nanoseconds begin = clock.monotonic();
    auto reader = history::Reader::open(directory);
    const auto found = reader ? reader->frames_at(each.time) : std::unexpected(reader.error());
    looks.push_back(static_cast<double>((clock.monotonic() - begin).count()) / 1e6);
    if (!found || !found->moment || sum_of(found->moment->now) != each.sum) ++wrong;
    const nanoseconds then = clock.monotonic();
    auto again = history::Reader::open(directory);
    if (!again || !again->events_between(each.time - std::chrono::hours(1), each.time)) ++wrong;
    event_looks.push_back(static_cast<double>((clock.monotonic() - then).count()) / 1e6);
  }
  std::filesystem::remove_all(directory);

  const double each = static_cast<double>(bytes) / samples, frames = static_cast<double>(seconds);
  const bench::Spread look = bench::spread(looks), event_look = bench::spread(event_looks);
  struct utsname machine{};
  ::uname(&machine);
  fmt::print("Linux {}, {} CPUs\n", machine.release, ::sysconf(_SC_NPROCESSORS_ONLN));
  fmt::print("{} containers and some that come and go, {:.1f} h, a frame a second ({} frames, {} events)\n\n",
             containers, hours, seconds, events);
  fmt::print("on disk                       {:10.1f} MB in {} files\n", static_cast<double>(bytes) / 1e6,
             files);
  fmt::print("a day                         {:10.1f} MB\n", static_cast<double>(bytes) / 1e6 / hours * 24);
  fmt::print("a container and second        {:10.2f} bytes (most: {})\n", each, kMostBytes);
  fmt::print("to record a frame, CPU        {:10.0f} us on average ({:.3f} % of a core), {:.1f} ms at most\n",
             spent / frames * 1e6, spent / frames * 100, worst * 1e3);
  fmt::print("memory, most                  {:10.1f} MiB (with the simulation)\n",
             static_cast<double>(used.ru_maxrss) / 1024);
  fmt::print("to look up a moment           {:10.1f} ms (quartiles {:.1f} .. {:.1f}), {} of {} wrong\n",
             look.median, look.q1, look.q3, wrong, checked.size());
  fmt::print("to look up an hour of events  {:10.1f} ms (quartiles {:.1f} .. {:.1f})\n", event_look.median,
             event_look.q1, event_look.q3);
  return each > kMostBytes || wrong > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto containers = parse_u64(argc > 1 ? argv[1] : "200");
  const auto hours = parse_decimal(argc > 2 ? argv[2] : "24");
  const auto size = parse_bytes(argc > 3 ? argv[3] : "1G");
  if (!containers || *containers == 0 || !hours || *hours <= 0 || !size) {
    fmt::print(stderr, "usage: history_size [CONTAINERS [HOURS [SIZE]]]\n");
    return 2;
  }
  return run(*containers, *hours, size->count());
}
