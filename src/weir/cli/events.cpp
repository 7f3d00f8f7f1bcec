// SPDX-License-Identifier: MIT
// `weir events [TARGET…]`: what happened, from the history or the event log.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/text.h"
#include "weir/cli/clock_text.h"
#include "weir/cli/command.h"
#include "weir/cli/event_text.h"
#include "weir/cli/recorded.h"
#include "weir/cli/watch_outputs.h"
#include "weir/cli/when.h"
#include "weir/events/event_json.h"
#include "weir/events/event_log.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

struct Options {
  std::vector<std::string> targets, kinds;
  std::string since = "1h", until = "now", directory;
  std::string log;  ///< empty: the history, and the usual log where there is none
};

struct Wanted {
  std::vector<container::Target> targets;
  std::vector<EventKind> kinds;
  nanoseconds since{0}, until{0}, now{0};
};

struct Line {
  std::string text;
  Event event;
};

struct Told {
  std::vector<Line> lines;
  std::uint64_t lost = 0;     ///< events and frames, of which the history or the log says so
  std::uint64_t damaged = 0;  ///< records or lines that cannot be read
};

Result<Wanted> understand(const Options& options) {
  Wanted wanted;
  wanted.now = SystemClock().realtime();
  WEIR_TRY(wanted.since, parse_when(options.since, wanted.now));
  WEIR_TRY(wanted.until, parse_when(options.until, wanted.now));
  if (wanted.until <= wanted.since)
    return std::unexpected(
        make_error(ErrorKind::invalid, "--until " + options.until, "is not after --since " + options.since));
  WEIR_TRY(wanted.targets, parse_recorded_targets(options.targets));
  for (const container::Target& target : wanted.targets)
    if (target.kind == container::TargetKind::label)
      return std::unexpected(make_error(ErrorKind::invalid, target.text,
                                        "cannot be asked for: events keep no labels",
                                        "name the container, its image: or its compose: project"));
  for (const std::string& text : options.kinds) {
    const auto kind = parse_event_kind(text);
    if (!kind) {
      std::vector<std::string> all;
      for (std::size_t n = 0; n < kEventKinds; ++n) all.emplace_back(to_string(static_cast<EventKind>(n)));
      return std::unexpected(make_error(ErrorKind::invalid, "--kind " + text, "is no kind of event",
                                        fmt::format("{}", fmt::join(all, ", "))));
    }
    wanted.kinds.push_back(*kind);
  }
  return wanted;
}

bool is_wanted(const Wanted& wanted, const Event& event) {
  if (event.time < wanted.since || event.time >= wanted.until) return false;
  if (!wanted.kinds.empty() && std::ranges::find(wanted.kinds, event.kind) == wanted.kinds.end())
    return false;
  return wanted.targets.empty() || (event.subject && is_meant(wanted.targets, event.subject->container));
}

void take(std::string line, const Wanted& wanted, Told& told) {
  if (auto event = events::parse_event_json(line)) {
    if (is_wanted(wanted, *event)) told.lines.push_back({std::move(line), std::move(*event)});
  } else if (const auto lost = events::parse_lost(line)) {
    told.lost += *lost;
  } else {
    ++told.damaged;
  }
}

Result<Told> from_log(const std::string& path, const Wanted& wanted) {
  Told told;
  WEIR_CHECK(events::read_log(path, [&](std::string_view line) { take(std::string(line), wanted, told); }));
  std::ranges::stable_sort(told.lines, {}, [](const Line& line) { return line.event.time; });
  return told;
}

Result<Told> from_history(const std::string& directory, const Wanted& wanted) {
  WEIR_TRY(history::Reader reader, history::Reader::open(directory));
  WEIR_TRY(std::vector<history::EventLine> lines, reader.events_between(wanted.since, wanted.until));
  Told told;
  for (history::EventLine& line : lines) take(std::move(line.line), wanted, told);
  told.damaged += reader.damaged();
  return told;
}

Result<Told> look_up(const HostPaths& paths, const Options& options, const Wanted& wanted) {
  if (!options.log.empty()) return from_log(options.log, wanted);
  auto told = from_history(history_directory(options.directory, paths), wanted);
  if (told || told.error().kind != ErrorKind::absent) return told;
  auto logged = from_log(kEventLog, wanted);
  if (logged || logged.error().kind != ErrorKind::absent) return logged;
  return std::unexpected(std::move(told).error());
}

void print(const Session& session, const Told& told, const Wanted& wanted) {
  std::string day = day_text(wanted.now);
  for (const Line& line : told.lines) {
    if (session.json) {
      fmt::print(session.terminal.out, "{}\n", line.text);
      continue;
    }
    if (std::string of = day_text(line.event.time); of != day) {
      day = std::move(of);
      fmt::print(session.terminal.out, "{}:\n", day);
    }
    fmt::print(session.terminal.out, "{}\n", event_text(line.event));
  }
}

Result<int> tell(Session& session, const Options& options) {
  WEIR_TRY(const Wanted wanted, understand(options));
  WEIR_TRY(const Told told, look_up(session.paths, options, wanted));
  print(session, told, wanted);
  if (told.lines.empty())
    fmt::print(session.terminal.err, "weir: nothing{} was recorded from {} to {}\n",
               wanted.targets.empty() && wanted.kinds.empty() ? "" : " of that",
               day_clock_text(wanted.since, wanted.now), day_clock_text(wanted.until, wanted.now));
  if (told.lost > 0) warn(session, fmt::format("{} frames or events were lost to a full disk", told.lost));
  if (told.damaged > 0) warn(session, fmt::format("{} damaged records were passed over", told.damaged));
  return kDone;
}

}  // namespace

void add_events(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("events", "Tell what happened, from what weir watch recorded");
  command->footer(
      "From the history (weir watch --record), and where there is none, from the event log.\n"
      "Times: 03:12, '2026-11-21 03:12', 2026-11-21T03:12:30Z, 10m, '10m ago', 2d.\n"
      "Examples:\n"
      "  weir events                                      the last hour\n"
      "  weir events web --since 03:00 --until 03:30\n"
      "  weir events --since 2d --kind oom_kill --json");
  const auto options = std::make_shared<Options>();
  command->add_option("targets", options->targets, "Only events of these containers; none: all, and the host")
      ->type_name("TARGET");
  command->add_option("--since", options->since, "From this time on, or as long ago")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--until", options->until, "Before this time")
      ->type_name("TIME")
      ->capture_default_str();
  command->add_option("--kind", options->kinds, "Only of this kind; may be given again")->type_name("KIND");
  add_history_option(*command, options->directory);
  command->add_option("--log", options->log, "From this event log, and what was rotated from it")
      ->type_name("FILE");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, tell(session, *options)); };
  });
}

}  // namespace weir::cli
