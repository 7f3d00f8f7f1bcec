// SPDX-License-Identifier: MIT
// `weir watch`: stays, and tells what happens to the host and its containers as it happens.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/base/wait_set.h"
#include "weir/cli/command.h"
#include "weir/cli/open_files.h"
#include "weir/cli/signals.h"
#include "weir/cli/watch_outputs.h"
#include "weir/container/match.h"
#include "weir/events/alarms.h"
#include "weir/events/detector.h"
#include "weir/events/limit_watch.h"
#include "weir/events/rungs.h"
#include "weir/limits/caller.h"
#include "weir/sample/frames.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> targets;
  OutputOptions outputs;
  bool fast = false;
  std::string sources = "all";
};

class Watcher {
 public:
  /// What sees, all of which outlive it.
  struct Eyes {
    sample::Frames& frames;
    events::LimitWatch& limits;
    events::Alarms& alarms;
    WaitSet& waiting;
  };
  Watcher(Session& session, Eyes eyes, WatchOutputs outputs, std::vector<container::Target> targets)
      : session_(session),
        frames_(eyes.frames),
        limits_(eyes.limits),
        alarms_(eyes.alarms),
        waiting_(eyes.waiting),
        outputs_(std::move(outputs)),
        targets_(std::move(targets)) {}

  /// Until a signal comes.
  Result<void> run(int signals) {
    // That of the outputs is an epoll too, but of sockets alone.
    for (const int fd : {frames_.fd(), limits_.fd(), outputs_.fd()})
      if (fd >= 0) WEIR_CHECK(waiting_.add(fd, EPOLLIN, kSome));
    WEIR_CHECK(waiting_.add(signals, EPOLLIN, kSignal));
    WEIR_TRY(const Frame* first, frames_.next());
    alarms_.add_host(detector_);
    for (const sample::RosterChange& change : frames_.take_changes()) {
      limits_.add(change.subject);  // those that are there have started before
      alarms_.add(change.subject, events::Alarms::Begin::was_there, detector_);
    }
    if (first != nullptr) {
      limits_read_ = first->at;
      (void)detector_.see(*first);
      show(*first);
    }
    for (;;) {
      tell_notes();
      const std::span<const Ready> ready = waiting_.wait(frames_.again());
      if (std::ranges::find(ready, kSignal, &Ready::number) != ready.end()) {
        outputs_.stopping();
        return {};
      }
      for (const Event& event : alarms_.take(ready, detector_)) tell(event);
      outputs_.serve();
      WEIR_TRY(const Frame* frame, frames_.next());
      for (const Event& event : limits_.take()) tell(event);
      for (sample::RosterChange& change : frames_.take_changes()) tell(std::move(change));
      if (frame == nullptr) continue;
      for (const Event& event : detector_.see(*frame)) tell(event);
      show(*frame);
      if (frame->at - armed_ >= kArmRound) {
        armed_ = frame->at;
        alarms_.rearm(detector_);
      }
      // Without BPF that is all that finds a change; with it, only what the kernel changed by itself.
      if (frame->at - limits_read_ < (limits_.fd() < 0 ? kLimitRound : kSeenRound)) continue;
      limits_read_ = frame->at;
      limits_.look_again();
    }
  }

 private:
  static constexpr std::chrono::seconds kLimitRound{5}, kSeenRound{60};
  /// In the WaitSet, beside those of the alarms.
  static constexpr std::uint64_t kSignal = 0, kSome = 1;
  static constexpr std::chrono::milliseconds kArmRound{900};  ///< once a second, also at ten frames in it

  void tell(sample::RosterChange change) {
    if (change.kind == sample::RosterChange::Kind::renamed) {
      limits_.rename(change.subject);
      alarms_.rename(change.subject);
      return;
    }
    const bool started = change.kind == sample::RosterChange::Kind::started;
    if (started) {
      limits_.add(change.subject, events::LimitWatch::Begin::just_started);
      alarms_.add(change.subject, events::Alarms::Begin::just_started, detector_);
    } else {
      limits_.remove(change.subject.cgroup_id);
      alarms_.remove(change.subject.cgroup_id);
    }
    tell(Event{.kind = started ? EventKind::container_started : EventKind::container_ended,
               .time = change.time,
               .subject = std::move(change.subject),
               .details = {}});
  }

  [[nodiscard]] bool wanted(const Container& container) const {
    return targets_.empty() || std::ranges::any_of(targets_, [&](const container::Target& target) {
             return container::matches(target, container);
           });
  }

  void tell(const Event& event) {
    if (event.subject ? wanted(event.subject->container) : targets_.empty()) outputs_.tell(event);
  }

  void show(const Frame& frame) {
    outputs_.see(frame, frames_, [this](const Container& container) { return wanted(container); });
    outputs_.working(fmt::format("{} containers and services", frame.subjects.size()), frame.at);
  }

  void tell_notes() {
    for (const std::string& note : frames_.take_notes()) warn(session_, note);
  }

  Session& session_;
  sample::Frames& frames_;
  events::LimitWatch& limits_;
  events::Alarms& alarms_;
  WaitSet& waiting_;
  WatchOutputs outputs_;
  std::vector<container::Target> targets_;
  events::Detector detector_;
  std::chrono::nanoseconds limits_read_{0}, armed_{0};
};

void say_begin(Session& session, const sample::Frames& frames, const events::Rungs& rungs,
               const std::string& who_sets_limits, const std::string& outputs) {
  std::ostream& err = session.terminal.err;
  for (const events::Rung& rung : rungs.rungs)
    fmt::print(err, "weir: {} by {}{}\n", rung.what, rung.by,
               rung.told_after ? ", told after " + format_duration(*rung.told_after) : "");
  if (!rungs.why_none.empty())
    fmt::print(err, "weir: all by reading; other sources could not be tried: {}\n",
               terminal_safe(rungs.why_none));
  fmt::print(err, "weir: who sets limits by {}\n", who_sets_limits);
  fmt::print(err, "weir: watching, {}{}; Ctrl-C ends it\n",
             frames.role() == sample::Role::attached ? "from the frames of another weir" : "once a second",
             outputs);
  err.flush();
}

Result<events::Wanted> parse_sources(std::string_view text) {
  if (text == "all") return events::Wanted{};
  if (text == "poll") return events::Wanted{.bpf = false, .poll = true};
  if (text == "bpf") return events::Wanted{.bpf = true, .poll = false};
  if (text == "read") return events::Wanted{.bpf = false, .poll = false};
  return std::unexpected(
      make_error(ErrorKind::invalid, text, "is no source of events: all, bpf, poll or read"));
}

Result<int> watch(Session& session, const Options& options) {
  std::vector<container::Target> targets;
  for (const std::string& text : options.targets) {
    WEIR_TRY(container::Target target, container::parse_target(text));
    targets.push_back(std::move(target));
  }
  WEIR_TRY(const events::Wanted wanted, parse_sources(options.sources));
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  const SystemClock clock;
  WEIR_TRY(WatchOutputs outputs, WatchOutputs::open(session, options.outputs, clock));
  WEIR_TRY(const Fd signals, open_signals());
  allow_open_files();
  events::Rungs rungs = events::find_rungs(*root, clock, wanted);
  const std::chrono::milliseconds fast_tick(options.fast ? 100 : 0);
  WEIR_TRY(sample::Frames frames,
           sample::Frames::open(*root, session.paths, clock, {.fast_tick = fast_tick}));
  auto knobs = wanted.bpf ? bpf::KnobWatch::open() : std::unexpected(Error{});
  events::LimitWatch limits({.root = *root,
                             .paths = session.paths,
                             .clock = clock,
                             .knobs = knobs ? &*knobs : nullptr,
                             .boot_id = limits::read_boot_id(session.paths).value_or("")});
  WEIR_TRY(WaitSet waiting, WaitSet::open());
  WEIR_TRY(events::Alarms alarms, events::Alarms::open({.root = *root,
                                                        .clock = clock,
                                                        .waiting = waiting,
                                                        .onset = rungs.onset ? &*rungs.onset : nullptr,
                                                        .window = rungs.window,
                                                        .notices = rungs.notices}));
  say_begin(session, frames, rungs, knobs ? knobs->hook() : "reading", outputs.describe());
  WEIR_CHECK(Watcher(session, {.frames = frames, .limits = limits, .alarms = alarms, .waiting = waiting},
                     std::move(outputs), std::move(targets))
                 .run(signals.get()));
  return kDone;
}

}  // namespace

void add_watch(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("watch", "Stay, and tell what happens to containers as it happens");
  command->footer(
      "Containers that start and end; throttling by a CPU limit; memory at its limits;\n"
      "kills; waits for CPU, memory and IO; limits that change, and by whom.\n"
      "What lasts is told when it begins and when it ends. Each event is also appended\n"
      "to a log, one JSON object a line.\n"
      "Examples:\n"
      "  weir watch                            everything, also to logs/events.jsonl\n"
      "  weir watch web 'label:tier=db'        only these\n"
      "  weir watch --json --no-log | jq -c 'select(.event == \"oom_kill\")'\n"
      "  weir watch --log /var/log/weir/events.jsonl --log-size 64M\n"
      "  weir watch --prometheus 127.0.0.1:9717  metrics for Prometheus on this host\n"
      "  weir watch --record                   kept for weir events, weir top --at");
  const auto options = std::make_shared<Options>();
  command->add_option("targets", options->targets, "Only events of these containers; none: all, and the host")
      ->type_name("TARGET");
  add_output_options(*command, options->outputs);
  command->add_flag("--fast", options->fast,
                    "Read CPU and memory ten times a second (for those who attach); pressure never is");
  command
      ->add_option("--sources", options->sources,
                   "What tells of events: bpf, poll (PSI triggers, memory.events), read (once a second)")
      ->type_name("all|bpf|poll|read")
      ->capture_default_str();
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, watch(session, *options)); };
  });
}

}  // namespace weir::cli
