// SPDX-License-Identifier: MIT
// Cuts of memory.max on a running container, to random sizes of which some are enough for it and some are
// not, each followed by a raise back; started by memory_cuts.sh. Goes the way of `weir set` and `weir undo`
// in one process: plan, journal, shrink, write, hold, undo.
//
//   memory_cuts CGROUP [CUTS [LOW_MIB HIGH_MIB [BUDGET_S [direct]]]]
//
// An OOM kill is *caused* when it comes while memory.max is below its value before the cut. A caller is
// *blocked* when apply() takes longer than its budget. `direct` cuts as --force does, for comparison. Exit
// code 1 when a kill was caused or a caller blocked.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "weir/base/text.h"
#include "weir/cgroup/stat.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/undo.h"
#include "weir/limits/writer.h"

namespace {

using namespace weir;
using std::chrono::steady_clock;

struct Options {
  std::string cgroup;
  std::uint64_t cuts = 1000, low = 60, high = 110, budget = 12;
  limits::Force force = limits::Force::no;
};

struct Tally {
  std::uint64_t cuts = 0, at_once = 0, shrunk = 0, reverted = 0, refused = 0, kills = 0, blocked = 0;
  std::vector<double> converged, given_up;  ///< seconds of the call
  std::map<std::string, std::uint64_t> reasons;
};

/// How long a container stays at its new limit before the raise.
constexpr std::chrono::seconds kStay{1};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

Result<std::uint64_t> oom_kills(const cgroup::Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("memory.events.local"));
  WEIR_TRY(const cgroup::MemoryEvents events, cgroup::parse_memory_events(text));
  return events.oom_kill.value_or(0);
}

/// The error's words without its numbers.
std::string kind_of(const std::string& message) {
  std::string words;
  for (const std::string_view word : weir::words(message))
    if (word.find_first_of("0123456789") == word.npos) words += fmt::format(" {}", word);
  return words;
}

Result<void> cut(const cgroup::Dir& root, const cgroup::Dir& dir, limits::Journal& journal,
                 const Options& options, std::uint64_t mib, Tally& tally) {
  const SystemClock clock;
  WEIR_TRY(const cgroup::Setting wanted, cgroup::parse_setting(fmt::format("memory.max={}M", mib)));
  const limits::Request request{.targets = {{.target = options.cgroup,
                                             .container = {.name = "cuts", .cgroup = options.cgroup},
                                             .settings = {wanted}}},
                                .guarded = {},
                                .force = options.force};
  WEIR_TRY(const std::uint64_t kills_before, oom_kills(dir));
  const auto begin = steady_clock::now();
  WEIR_TRY(limits::Plan plan, limits::make_plan(root, request));
  ++tally.cuts;
  if (!plan.possible()) {
    ++tally.refused;
    return {};
  }
  limits::Order order;
  order.patience.budget = std::chrono::seconds(options.budget);
  WEIR_CHECK(limits::apply(plan, journal, clock, order));
  const double took = std::chrono::duration<double>(steady_clock::now() - begin).count();
  if (took > static_cast<double>(options.budget)) ++tally.blocked;
  const limits::Outcome outcome = plan.outcomes().front();
  if (outcome.status == limits::Status::changed) {
    ++(outcome.shrink ? tally.shrunk : tally.at_once);
    tally.converged.push_back(took);
    std::this_thread::sleep_for(kStay);
    WEIR_TRY(limits::History history, journal.read());
    const auto undone = limits::undo(root, std::move(history), &journal, {.by = "bench"});
    for (const limits::Outcome& back : undone.outcomes)
      if (back.error) return std::unexpected(*back.error);
  } else {
    ++tally.reverted;
    tally.given_up.push_back(took);
    if (outcome.error) ++tally.reasons[kind_of(outcome.error->message())];
  }
  WEIR_TRY(const std::uint64_t kills_after, oom_kills(dir));
  tally.kills += kills_after - kills_before;
  if (kills_after > kills_before)
    fmt::print("  killed: cut to {} MiB, {}, need seen {}\n", mib, to_string(outcome.status),
               outcome.shrink ? format_bytes(outcome.shrink->need) : "not watched");
  for (const std::string_view file : {"memory.max", "memory.high"}) {
    WEIR_TRY(const std::string text, dir.read(file));
    if (text != "max\n")
      return std::unexpected(make_error(ErrorKind::failed, file, fmt::format("was left at {}", trim(text))));
  }
  return {};
}

void print(const Tally& tally) {
  fmt::print("{} cuts: {} converged ({} at once, {} shrunk), {} reverted, {} refused\n", tally.cuts,
             tally.at_once + tally.shrunk, tally.at_once, tally.shrunk, tally.reverted, tally.refused);
  fmt::print("  OOM kills caused: {} (target 0); callers blocked past the budget: {} (target 0)\n",
             tally.kills, tally.blocked);
  const auto line = [](std::string_view what, const std::vector<double>& values) {
    fmt::print("  {}: p50 {:.2f} s, p99 {:.2f} s, max {:.2f} s, n={}\n", what, quantile(values, 0.5),
               quantile(values, 0.99), quantile(values, 1), values.size());
  };
  line("time to converge", tally.converged);
  line("time to revert", tally.given_up);
  for (const auto& [reason, count] : tally.reasons) fmt::print("  reverted {}:{}\n", count, reason);
  std::fflush(stdout);
}

Result<int> run(const Options& options) {
  WEIR_TRY(const auto root, cgroup::open_root(""));
  WEIR_TRY(const auto dir, cgroup::open_path(*root, options.cgroup));
  const std::string journal_dir = fmt::format("/run/weir-bench-{}", ::getpid());
  WEIR_TRY(limits::Journal journal,
           limits::Journal::open(journal_dir, "bench", {.cap = std::size_t{1} << 30}));
  struct utsname host{};
  ::uname(&host);
  fmt::print("memory_cuts: {}, {} CPUs; {} cuts to {} .. {} MiB, budget {} s{}\n", host.release,
             ::sysconf(_SC_NPROCESSORS_ONLN), options.cuts, options.low, options.high, options.budget,
             options.force == limits::Force::yes ? ", direct writes" : "");
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same cuts in every run
  std::uniform_int_distribution<std::uint64_t> size(options.low, options.high);
  Tally tally;
  Result<void> done;
  for (std::uint64_t n = 1; n <= options.cuts && done; ++n) {
    done = cut(*root, *dir, journal, options, size(random), tally);
    if (n % 50 == 0 && n != options.cuts) print(tally);
  }
  print(tally);
  std::error_code ignored;
  std::filesystem::remove_all(journal_dir, ignored);
  WEIR_CHECK(done);
  return tally.kills + tally.blocked == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: memory_cuts CGROUP [CUTS [LOW_MIB HIGH_MIB [BUDGET_S [direct]]]]\n");
    return 2;
  }
  Options options{.cgroup = argv[1]};
  const auto number = [&](int n, std::uint64_t& into) {
    if (argc > n) into = parse_u64(argv[n]).value_or(into);
  };
  number(2, options.cuts);
  number(3, options.low);
  number(4, options.high);
  number(5, options.budget);
  if (argc > 6 && std::string_view(argv[6]) == "direct") options.force = limits::Force::yes;
  const auto code = run(options);
  if (!code) fmt::print(stderr, "memory_cuts: {}\n", code.error().message());
  return code.value_or(1);
}
