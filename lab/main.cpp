// SPDX-License-Identifier: MIT
// weir-lab: three synthetic workloads to try resource limits on. Fully static, so that an image FROM scratch
// holds nothing else. Runs well as PID 1, for which the kernel drops every signal that has neither a handler
// nor is blocked: all are blocked here before the first thread starts, and the main thread waits for them.
#include <sys/signal.h>

#include "workload.h"
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>

#include "weir/base/text.h"

namespace weir::lab {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

struct Common {
  microseconds seconds{0};  ///< 0: until a signal
  microseconds report{0};   ///< 0: no reports
};

void bytes_option(CLI::App* app, const std::string& name, Bytes& into, std::uint64_t least,
                  const std::string& about) {
  app->add_option_function<std::string>(
         name,
         [name, &into, least](const std::string& text) {
           const auto parsed = parse_bytes(text);
           if (!parsed) throw CLI::ValidationError(name, parsed.error().message());
           if (parsed->count() < least || parsed->count() > (std::uint64_t{1} << 44))
             throw CLI::ValidationError(name, "must lie between " + std::to_string(least) + " bytes and 16T");
           into = *parsed;
         },
         about)
      ->type_name("SIZE")
      ->default_str(format_bytes(into));
}

void time_option(CLI::App* app, const std::string& name, microseconds& into, microseconds least,
                 const std::string& about) {
  app->add_option_function<std::string>(
         name,
         [name, &into, least](const std::string& text) {
           if (text == "0" && least.count() == 0) {
             into = microseconds{0};
             return;
           }
           const auto parsed = parse_duration(text);
           if (!parsed) throw CLI::ValidationError(name, parsed.error().message());
           if (*parsed < least || *parsed > std::chrono::hours(24 * 365))
             throw CLI::ValidationError(name, "is out of range");
           into = *parsed;
         },
         about)
      ->type_name("TIME")
      ->default_str(into.count() == 0 ? "0" : format_duration(into));
}

void common_options(CLI::App* app, Common& common) {
  app->add_option_function<unsigned>(
         "--seconds", [&common](unsigned n) { common.seconds = std::chrono::seconds(n); },
         "End after N seconds; 0: at SIGTERM or SIGINT")
      ->type_name("N")
      ->default_str("0");
  time_option(app, "--report", common.report, microseconds{0},
              "Print what was done this often; 0: only at SIGUSR1");
}

void report(const char* name, const Progress& progress, nanoseconds elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const std::uint64_t operations = progress.operations.load(std::memory_order_relaxed);
  const std::uint64_t bytes = progress.bytes.load(std::memory_order_relaxed);
  std::printf("%s seconds=%.1f operations=%llu bytes=%llu operations_per_second=%.1f\n", name, seconds,
              static_cast<unsigned long long>(operations), static_cast<unsigned long long>(bytes),
              seconds > 0 ? static_cast<double>(operations) / seconds : 0.0);
  std::fflush(stdout);
}

sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

nanoseconds monotonic() { return std::chrono::steady_clock::now().time_since_epoch(); }

/// Waits for the end, and reports on the way.
void supervise(const char* name, const Common& common, const Progress& progress, const sigset_t& signals) {
  constexpr nanoseconds kForever = nanoseconds::max();
  const nanoseconds start = monotonic();
  const nanoseconds end = common.seconds.count() > 0 ? start + common.seconds : kForever;
  nanoseconds next_report = common.report.count() > 0 ? start + common.report : kForever;
  for (;;) {
    const nanoseconds now = monotonic();
    if (now >= end) break;
    if (now >= next_report) {
      report(name, progress, now - start);
      next_report += common.report;
      continue;
    }
    const nanoseconds wait = std::min(std::min(end, next_report) - now, nanoseconds(std::chrono::hours(1)));
    const timespec timeout{.tv_sec = wait.count() / 1'000'000'000, .tv_nsec = wait.count() % 1'000'000'000};
    const int number = sigtimedwait(&signals, nullptr, &timeout);
    if (number == SIGUSR1) report(name, progress, monotonic() - start);
    if (number == SIGTERM || number == SIGINT || number == SIGHUP) break;
  }
  if (common.report.count() > 0) report(name, progress, monotonic() - start);
}

constexpr const char* kExamples = R"(Examples:
  weir-lab cpu --threads 2 --duty 50          two threads, each wants half a CPU
  weir-lab memory --size 48M --cache 64M      48 MiB of memory, and a file of 64 MiB read over and over
  weir-lab io --bytes 16M --rate 8M           8 MiB/s onto the disk of the working directory
  weir-lab cpu --seconds 5 --report 1s        five seconds, one line a second
)";

int run(int argc, char** argv) {
  const sigset_t signals = block_signals();
  static Progress progress;  // outlives main's frame: the threads are never joined
  Common common;
  CpuOptions cpu;
  MemoryOptions memory;
  IoOptions io;

  CLI::App app("Synthetic workloads to try resource limits on. Ends at SIGTERM, SIGINT or after --seconds.",
               "weir-lab");
  app.footer(kExamples);
  app.require_subcommand(1);

  CLI::App* cpu_app = app.add_subcommand("cpu", "Compute");
  cpu_app->add_option("--threads", cpu.threads, "Threads")
      ->check(CLI::Range(1U, 4096U))
      ->capture_default_str();
  cpu_app->add_option("--duty", cpu.duty, "Percent of each period that a thread wants to compute")
      ->check(CLI::Range(1U, 100U))
      ->capture_default_str();
  time_option(cpu_app, "--period", cpu.period, microseconds{1'000}, "Length of a period");

  CLI::App* memory_app = app.add_subcommand("memory", "Fill and touch memory");
  bytes_option(memory_app, "--size", memory.size, 4096, "Anonymous memory");
  bytes_option(memory_app, "--step", memory.step, 4096, "Grow by this much every 50 ms");
  time_option(memory_app, "--hold", memory.hold, microseconds{0},
              "Give it back after this time, and start again; 0: keep it");
  time_option(memory_app, "--touch", memory.touch, microseconds{0},
              "Write every page again this often; 0: never");
  bytes_option(memory_app, "--cache", memory.cache, 0, "Read a file of this size over and over (page cache)");
  memory_app->add_option("--path", memory.path, "Directory of that file")->capture_default_str();

  CLI::App* io_app = app.add_subcommand("io", "Write a file over and over");
  bytes_option(io_app, "--bytes", io.bytes, 4096, "Size of the file");
  bytes_option(io_app, "--block", io.block, 512, "Size of one write");
  io_app->add_option("--path", io.path, "Directory of the file")->capture_default_str();
  bytes_option(io_app, "--rate", io.rate, 0, "Bytes a second; 0: as fast as it goes");
  io_app->add_option("--fsync", io.fsync, "fsync after so many writes; 0: never")->capture_default_str();

  for (CLI::App* each : {cpu_app, memory_app, io_app}) common_options(each, common);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  CLI::App* chosen = app.get_subcommands().front();
  const Result<void> started = chosen == cpu_app      ? start_cpu(cpu, progress)
                               : chosen == memory_app ? start_memory(memory, progress)
                                                      : start_io(io, progress);
  if (!started) {
    std::fprintf(stderr, "weir-lab: %s\n", started.error().message().c_str());
    if (!started.error().hint.empty()) std::fprintf(stderr, "  %s\n", started.error().hint.c_str());
    return 1;
  }
  supervise(chosen->get_name().c_str(), common, progress, signals);
  return 0;
}

}  // namespace
}  // namespace weir::lab

int main(int argc, char** argv) {
  int code = 1;
  try {
    code = weir::lab::run(argc, argv);
  } catch (const std::exception& error) {  // no more threads (pids.max), no more memory
    std::fprintf(stderr, "weir-lab: %s\n", error.what());
  }
  std::fflush(nullptr);
  std::_Exit(code);  // the threads still run: no destructor may pull the ground from under them
}
