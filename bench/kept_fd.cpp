// SPDX-License-Identifier: MIT
// What the cgroup layer costs on top of the kernel: a typed limit written through cgroup::File against a bare
// pwrite of ready text, on two kept fds of the same file in the same process. Rounds of both are interleaved
// in random order and the values alternate, so that neither side profits from a warm cache or an unchanged
// value. Beside them, where there is a cpu controller, the journalled path of `weir set` and `undo`: plan
// (open the cgroup, look), journal the intent, write, read back, journal the outcome.
//
//   kept_fd [ROUNDS [WRITES_PER_ROUND]]      exit code 1 if typed / bare is over 1.10
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "spread.h"
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/writer.h"

namespace {

using namespace weir;
using cgroup::CpuMax;
using std::chrono::microseconds;
using std::chrono::steady_clock;

constexpr double kMostRatio = 1.10;
constexpr std::string_view kFallback = "cgroup.max.depth";

struct Way {
  std::string name;
  std::function<bool(std::size_t writes)> run;
  std::vector<double> ns_per_write;
};

bool fail(const Error& error) {
  fmt::print(stderr, "kept_fd: {}\n", error.message());
  return false;
}

/// A cgroup of our own, removed at the end.
struct Place {
  std::unique_ptr<cgroup::Dir> root, dir;
  std::string name = fmt::format("weir-bench-{}", ::getpid());
  ~Place() {
    if (!dir) return;
    dir.reset();
    if (const auto removed = root->remove(name); !removed) fail(removed.error());
  }
};

template <typename Value>
std::function<bool(std::size_t)> typed(cgroup::File& file, std::array<Value, 2> values) {
  return [&file, values](std::size_t writes) {
    for (std::size_t i = 0; i < writes; ++i)
      if (!cgroup::write_value(file, values[i % 2])) return false;
    return true;
  };
}

std::function<bool(std::size_t)> bare(int fd, std::array<std::string_view, 2> texts) {
  return [fd, texts](std::size_t writes) {
    for (std::size_t i = 0; i < writes; ++i) {
      const std::string_view text = texts[i % 2];
      if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return false;
    }
    return true;
  };
}

/// The journal of this run, beside where the real one is: on the tmpfs of /run.
struct JournalFolder {
  std::string path = fmt::format("/run/weir-bench-{}", ::getpid());
  ~JournalFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

std::function<bool(std::size_t)> journalled(const cgroup::Dir& root, const std::string& name,
                                            limits::Journal& journal) {
  return [&root, name, &journal](std::size_t writes) {
    const SystemClock clock;
    for (std::size_t i = 0; i < writes; ++i) {
      const limits::Request request{
          .targets = {{.target = name,
                       .container = {.name = name, .cgroup = "/" + name},
                       .settings = {{.knob = cgroup::Knob::cpu_max,
                                     .text = i % 2 == 0 ? "50000 100000" : "60000 100000"}}}},
          .guarded = {}};
      auto plan = limits::make_plan(root, request);
      if (!plan) return fail(plan.error());
      if (const auto applied = limits::apply(*plan, journal, clock, {}); !applied)
        return fail(applied.error());
      const limits::Outcome& outcome = plan->targets.front().steps.front().outcome;
      if (outcome.error) return fail(*outcome.error);
    }
    return true;
  };
}

bool measure(std::vector<Way>& ways, std::size_t rounds, std::size_t writes) {
  std::mt19937 random(1);  // a fixed order, so that two runs can be compared
  for (std::size_t round = 0; round < rounds + rounds / 10; ++round) {
    std::shuffle(ways.begin(), ways.end(), random);
    for (Way& way : ways) {
      const auto begin = steady_clock::now();
      if (!way.run(writes)) return false;
      const std::chrono::duration<double, std::nano> took = steady_clock::now() - begin;
      if (round >= rounds / 10)
        way.ns_per_write.push_back(took.count() / static_cast<double>(writes));  // after the warm-up
    }
  }
  std::sort(ways.begin(), ways.end(), [](const Way& a, const Way& b) { return a.name < b.name; });
  return true;
}

int run(std::size_t rounds, std::size_t writes) {
  Place place;
  const auto mount = cgroup::find_mount_point();
  if (!mount) return fail(mount.error()), 3;
  auto root = cgroup::open_root(*mount);
  if (!root) return fail(root.error()), 3;
  place.root = std::move(*root);
  auto made = place.root->make(place.name);
  if (!made) return fail(made.error()), 3;
  place.dir = std::move(*made);

  const bool has_cpu = place.dir->read("cpu.max").has_value();
  const std::string file(has_cpu ? "cpu.max" : kFallback);
  const Fd fd(::open(fmt::format("{}/{}/{}", *mount, place.name, file).c_str(), O_WRONLY | O_CLOEXEC));
  auto kept = place.dir->keep(file, cgroup::Access::write);
  if (!fd.valid() || !kept) return fail(errno_error(errno, file, "open")), 1;

  std::vector<Way> ways;
  if (has_cpu) {
    ways.push_back({"bare pwrite", bare(fd.get(), {"50000 100000", "60000 100000"}), {}});
    ways.push_back({"typed cgroup::write_value",
                    typed<CpuMax>(**kept, {CpuMax{Limit(microseconds(50'000)), microseconds(100'000)},
                                           CpuMax{Limit(microseconds(60'000)), microseconds(100'000)}}),
                    {}});
  } else {
    ways.push_back({"bare pwrite", bare(fd.get(), {"50000", "60000"}), {}});
    ways.push_back(
        {"typed cgroup::write_value", typed<Weight>(**kept, {Weight(50'000), Weight(60'000)}), {}});
  }
  const JournalFolder folder;
  auto journal = limits::Journal::open(folder.path, "bench", {.cap = std::size_t{1} << 30});
  if (!journal) return fail(journal.error()), 1;
  if (has_cpu)
    ways.push_back({"journalled limits::apply", journalled(*place.root, place.name, *journal), {}});
  if (!measure(ways, rounds, writes)) return fail(errno_error(errno, file, "write")), 1;

  struct utsname host{};
  ::uname(&host);
  fmt::print("kept_fd: {} on {}, {} CPUs; {} rounds of {} writes each, interleaved\n", file, host.release,
             ::sysconf(_SC_NPROCESSORS_ONLN), rounds, writes);
  if (!has_cpu)
    fmt::print("  no cpu controller here: {} stands in for cpu.max, which costs more in the kernel\n", file);
  double baseline = 0;
  int code = 0;
  for (const Way& way : ways) {
    const auto result = bench::spread(way.ns_per_write);
    if (baseline == 0) baseline = result.median;
    const double ratio = result.median / baseline;
    fmt::print("  {:<28} median {:8.1f} ns  quartiles {:8.1f} .. {:8.1f}  n={}  x{:.3f}\n", way.name,
               result.median, result.q1, result.q3, way.ns_per_write.size(), ratio);
    if (way.name.starts_with("typed") && ratio > kMostRatio) code = 1;
  }
  fmt::print("  target: typed / bare <= {:.2f}: {}\n", kMostRatio, code == 0 ? "met" : "missed");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const auto rounds = argc > 1 ? parse_u64(argv[1]) : 500U;
  const auto writes = argc > 2 ? parse_u64(argv[2]) : 100U;
  if (!rounds || !writes || *rounds < 10 || *writes < 2) {
    fmt::print(stderr, "usage: kept_fd [ROUNDS [WRITES_PER_ROUND]]\n");
    return 2;
  }
  return run(*rounds, *writes);
}
