// SPDX-License-Identifier: MIT
// N changes of cpu.max pending at once, beside N cgroups: the time until the Regulator has written (and
// journalled) them all, against the same bare writes on kept fds, in the same run, in turns, both with the
// hooks attached that tell it of period starts and of writes by others. Then an urgent
// raise that comes while N pending ones are being written: until it is written itself, in bare writes.
//
//   vm/run --build build/release --timeout 900 -- build/release/bin/pending_writes [N [ROUNDS]]
//
// Exit code 1 if the ratio is over 1.5 or the urgent one takes more than 3 bare writes (medians).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "cgroup_place.h"
#include "spread.h"
#include <thread>

#include "weir/base/clock.h"
#include "weir/base/fd.h"
#include "weir/base/text.h"
#include "weir/bpf/knob_watch.h"
#include "weir/bpf/period_start.h"
#include "weir/limits/regulator.h"

namespace {

using namespace weir;
using bench::must;
using std::chrono::nanoseconds;

constexpr double kMostRatio = 1.5, kMostUrgent = 3;

const SystemClock kClock;

double since(nanoseconds begin) { return static_cast<double>((kClock.monotonic() - begin).count()); }

int run(std::size_t count, std::size_t rounds) {
  const struct rlimit files{.rlim_cur = 8 * count + 64, .rlim_max = 8 * count + 64};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) bench::give_up(errno_error(errno, "open files", "allow more"));
  bench::CgroupPlace place;
  const bench::JournalPlace journals;
  std::vector<Fd> fds;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string name = fmt::format("c{}", n);
    place.make(name);
    fds.emplace_back(::open(place.file(name, "cpu.max").c_str(), O_WRONLY | O_CLOEXEC));
  }
  // A write starts the period timer even of a cgroup in which nothing runs. Requests come when it has
  // stopped.
  const auto come_to_rest = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1300)); };
  const auto write_bare = [&](std::string_view text) {
    const nanoseconds begin = kClock.monotonic();
    for (const Fd& fd : fds)
      if (::pwrite(fd.get(), text.data(), text.size(), 0) < 0)
        bench::give_up(errno_error(errno, "cpu.max", "write"));
    return since(begin);
  };
  write_bare("50000 100000");
  come_to_rest();
  std::vector<double> unhooked;
  for (const char* quota : {"60000 100000", "70000 100000", "80000 100000"}) {
    unhooked.push_back(write_bare(quota) / static_cast<double>(count));
    come_to_rest();
  }

  std::function<void()> raise_limit = [] {};
  auto starts = bpf::PeriodStart::open();
  auto knobs = bpf::KnobWatch::open();
  const bool sees_writes = knobs && knobs->sees_value();
  std::function<Result<void>(std::uint64_t)> watch;
  if (sees_writes) watch = [&](std::uint64_t file) { return knobs->watch(file); };
  limits::Regulator regulator(place.root(), journals.open(), kClock,
                              {.who = {},
                               .reason = {},
                               .guarded = {},
                               .between = [&] { raise_limit(); },
                               .watch = watch,
                               .ignore = {},
                               .starts = starts ? &*starts : nullptr});
  std::vector<CgroupId> ids;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string name = fmt::format("c{}", n);
    ids.push_back(must(regulator.add({.name = name, .cgroup = place.path(name)})));
  }
  const auto ask_all = [&](const char* quota) {
    for (const CgroupId id : ids) must(regulator.ask(id, {.knob = cgroup::Knob::cpu_max, .text = quota}));
  };
  std::vector<knob_watch_event> others;
  const auto see_writes = [&] {
    if (!sees_writes) return;
    knobs->drain(others);
    for (const knob_watch_event& write : others) regulator.touched(write.file);
    others.clear();
    if (knobs->lost() > 0) bench::give_up(make_error(ErrorKind::failed, "events", "were lost"));
  };
  const auto write_pending = [&] {
    const nanoseconds begin = kClock.monotonic();
    while (regulator.pending() > 0) {
      see_writes();
      for (const auto& written : must(regulator.turn()))
        if (written.outcome.error) bench::give_up(*written.outcome.error);
      if (regulator.pending() > 0) regulator.wait(kClock.monotonic() + std::chrono::seconds(1));
    }
    return since(begin);
  };

  std::vector<double> bare, pending, ratio, urgent;
  for (std::size_t round = 0; round < rounds; ++round) {
    bare.push_back(write_bare("60000 100000") / static_cast<double>(count));
    come_to_rest();
    regulator.touched_all();  // our own writes past it are seen by no hook
    ask_all("65000 100000");
    write_pending();
    come_to_rest();
    ask_all("70000 100000");
    pending.push_back(write_pending() / static_cast<double>(count));
    ratio.push_back(pending.back() / bare.back());

    come_to_rest();
    ask_all("80000 100000");
    raise_limit = [&, left = 5]() mutable {  // while it is at work on them
      if (--left == 0)
        must(regulator.ask(ids.back(), {.knob = cgroup::Knob::cpu_max, .text = "90000 100000"},
                           limits::Urgency::urgent));
    };
    see_writes();
    for (const auto& written : must(regulator.turn()))
      if (written.outcome.change.after.text == "90000 100000")
        urgent.push_back(static_cast<double>(written.waited.count()) / bare.back());
    raise_limit = [] {};
    write_pending();
    come_to_rest();
  }

  struct utsname host{};
  ::uname(&host);
  const auto all = bench::spread(ratio), one = bench::spread(urgent);
  fmt::print(
      "pending_writes: {} cgroups, {} CPUs, {}; {} rounds; period starts by {}, writes of "
      "others by {}\n",
      count, ::sysconf(_SC_NPROCESSORS_ONLN), host.release, rounds, starts ? starts->hook() : "looking",
      sees_writes ? knobs->hook() : "reading");
  fmt::print("  bare write     {:8.1f} us   ({:.1f} before the hooks were attached)\n",
             bench::spread(bare).median / 1e3, bench::spread(unhooked).median / 1e3);
  fmt::print("  regulator      {:8.1f} us   x{:.2f} ({:.2f} .. {:.2f}), target <= {}: {}\n",
             bench::spread(pending).median / 1e3, all.median, all.q1, all.q3, kMostRatio,
             all.median <= kMostRatio ? "met" : "missed");
  fmt::print("  urgent raise   {:.2f} bare writes ({:.2f} .. {:.2f}), target <= {}: {}\n", one.median, one.q1,
             one.q3, kMostUrgent, one.median <= kMostUrgent ? "met" : "missed");
  return all.median <= kMostRatio && one.median <= kMostUrgent ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = argc > 1 ? parse_u64(argv[1]) : 1000U;
  const auto rounds = argc > 2 ? parse_u64(argv[2]) : 21U;
  if (!count || !rounds || *count < 2 || *count > 4000 || *rounds < 1) {
    fmt::print(stderr, "usage: pending_writes [N [ROUNDS]]\n");
    return 2;
  }
  return run(*count, *rounds);
}
