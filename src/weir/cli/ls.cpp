// SPDX-License-Identifier: MIT
// `weir ls [TARGET…]`: what is on this host, what each container is held to, and who suffers.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>
#include <set>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/command.h"
#include "weir/cli/look.h"
#include "weir/cli/ls_json.h"
#include "weir/cli/ls_table.h"
#include "weir/cli/recorded.h"
#include "weir/container/inventory.h"
#include "weir/container/target.h"

namespace weir::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

struct Options {
  std::vector<std::string> targets;
  std::string columns;
  std::string window;   ///< as typed; empty: the default
  std::string seconds;  ///< of --watch, as typed
  bool watch = false;
  bool all = false, no_header = false;
  std::string at, record_dir;
};

struct Wanted {
  container::Include include = container::Include::containers_and_services;
  std::vector<container::Target> targets;
  std::vector<const LsColumn*> columns;
  Chosen chosen = Chosen::standard;
  Header header = Header::show;
  microseconds window{0};
};

struct Found {
  std::vector<Row> rows;
  std::vector<container::Note> notes;
  std::optional<Recorded> recorded;  ///< where it was not read just now
};

Result<Wanted> understand(const Options& options) {
  Wanted wanted;
  if (options.all) wanted.include = container::Include::every_cgroup;
  for (const std::string& text : options.targets) {
    WEIR_TRY(container::Target target, container::parse_target(text));
    wanted.targets.push_back(std::move(target));
  }
  WEIR_TRY(wanted.columns, choose_columns(options.columns));
  if (!options.columns.empty()) wanted.chosen = Chosen::by_user;
  if (options.no_header) wanted.header = Header::hide;
  // Every cgroup of a host is read once only: that is quick, and a rate for each of them is seldom what is
  // asked.
  wanted.window = options.all ? 0ms : 300ms;
  if (options.window == "0") {
    wanted.window = 0ms;
  } else if (!options.window.empty()) {
    WEIR_TRY(wanted.window, parse_duration(options.window));
  }
  if (wanted.window > 60s)
    return std::unexpected(
        make_error(ErrorKind::invalid, options.window, "is too long a window; at most 60s"));
  return wanted;
}

Result<container::Inventory> find(const HostPaths& paths, const Wanted& wanted) {
  if (wanted.targets.empty()) return container::take_inventory(paths, wanted.include);
  container::Inventory inventory;
  std::set<std::string> seen;
  for (const container::Target& target : wanted.targets) {
    WEIR_TRY(std::vector<Container> some, container::resolve(target, paths));
    for (Container& one : some)
      if (seen.insert(one.cgroup).second) inventory.containers.push_back(std::move(one));
  }
  return inventory;
}

Result<Found> look(const HostPaths& paths, const Wanted& wanted) {
  WEIR_TRY(const auto root, cgroup::open_root(paths.cgroup_root));
  WEIR_TRY(container::Inventory inventory, find(paths, wanted));
  return Found{.rows = make_rows(look_at(*root, std::move(inventory.containers), wanted.window)),
               .notes = std::move(inventory.notes),
               .recorded = {}};
}

Result<Found> look_back(const HostPaths& paths, const Options& options, Wanted& wanted) {
  WEIR_TRY(const auto targets, parse_recorded_targets(options.targets));
  Found found;
  WEIR_TRY(found.recorded,
           recorded_at(history_directory(options.record_dir, paths), options.at, SystemClock().realtime()));
  const history::Moment& moment = found.recorded->moment;
  found.rows = make_rows(snapshots_of(moment, targets));
  wanted.window =
      moment.before ? std::chrono::duration_cast<microseconds>(moment.now.at - moment.before->at) : 0us;
  return found;
}

std::string json_text(const Found& found, const Wanted& wanted, int indent) {
  Json containers = Json::array(), notes = Json::array();
  for (const Row& row : found.rows) containers.push_back(to_json(row));
  for (const container::Note& note : found.notes)
    notes.push_back({{"subject", note.subject}, {"text", note.text}});
  const Json window = wanted.window.count() > 0 ? Json(wanted.window.count()) : Json(nullptr);
  Json json = {{"schema", 1}, {"window_usec", window}};
  if (found.recorded)
    json["at"] = {{"asked_ns", found.recorded->asked.count()},
                  {"recorded_ns", found.recorded->moment.now.time.count()}};
  json["containers"] = std::move(containers);
  json["notes"] = std::move(notes);
  return dump_json(json, indent);
}

std::string table_text(const Session& session, const Found& found, const Wanted& wanted,
                       std::size_t columns) {
  if (found.rows.empty() && found.recorded) return "no such containers or services were there then\n";
  if (found.rows.empty() && wanted.header == Header::show)
    return "no containers and no services here; weir ls --all shows every cgroup\n";
  return make_table(found.rows, wanted.columns, wanted.chosen)
      .render(columns, session.terminal.colour, wanted.header);
}

void print_notes(const Session& session, const Found& found) {
  for (const container::Note& note : found.notes)
    warn(session, fmt::format("{}: {}", note.subject, note.text));
}

int once(const Session& session, const Wanted& wanted, const Result<Found>& found) {
  if (!found) return report(session, found.error());
  if (session.json) {
    fmt::print(session.terminal.out, "{}\n", json_text(*found, wanted, 2));
    return kDone;
  }
  if (found->recorded && wanted.header == Header::show)
    fmt::print(session.terminal.out, "{}\n", found->recorded->text);
  fmt::print(session.terminal.out, "{}", table_text(session, *found, wanted, session.terminal.columns));
  print_notes(session, *found);
  return kDone;
}

/// SIGINT and SIGTERM end the watch between two pictures; the mask is put back at the end.
class Interrupts {
 public:
  Interrupts() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  /// True if one came within `span`.
  [[nodiscard]] bool wait(microseconds span) const {
    const timespec time{.tv_sec = span.count() / 1'000'000, .tv_nsec = span.count() % 1'000'000 * 1000};
    return ::sigtimedwait(&signals_, nullptr, &time) > 0;
  }

 private:
  sigset_t signals_{}, before_{};
};

/// The picture cut to the screen, each line wiped behind its end, so that nothing flickers.
std::string redraw(std::string_view text, std::size_t rows) {
  std::string out = "\x1b[H";
  std::size_t line = 0;
  for (const std::string_view one : split(text, '\n')) {
    if (one.empty()) continue;
    if (++line >= rows) break;
    out += fmt::format("{}\x1b[K\n", one);
  }
  return out + "\x1b[J";
}

int watch(const Session& session, const Wanted& wanted, microseconds interval) {
  const Interrupts interrupts;
  const bool draws = session.terminal.out_tty && !session.json;
  if (draws) fmt::print(session.terminal.out, "\x1b[2J");
  for (;;) {
    const auto found = look(session.paths, wanted);
    if (!found) return report(session, found.error());
    winsize size{};
    const bool sized =
        draws && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1;
    if (session.json) {
      fmt::print(session.terminal.out, "{}\n", json_text(*found, wanted, -1));
    } else {
      const std::string text =
          table_text(session, *found, wanted, sized ? size.ws_col : session.terminal.columns);
      fmt::print(session.terminal.out, "{}", draws ? redraw(text, sized ? size.ws_row : 24) : text + "\n");
    }
    session.terminal.out.flush();
    if (!session.terminal.out.good()) return kDone;  // the reader of the pipe has gone
    if (interrupts.wait(interval - std::min(interval, wanted.window))) return kDone;
  }
}

Result<microseconds> watch_interval(const std::string& seconds) {
  if (seconds.empty()) return microseconds(2s);
  const auto number = parse_decimal(seconds);
  if (!number || *number < 1 || *number > 86'400)
    return std::unexpected(make_error(
        ErrorKind::invalid, fmt::format("--watch {}", seconds), "is not a number of seconds, at least 1",
        "pressure must not be read faster; a target goes in front: weir ls web --watch"));
  return std::chrono::duration_cast<microseconds>(std::chrono::duration<double>(*number));
}

int list(const Session& session, const Options& options) {
  auto wanted = understand(options);
  if (!wanted) return report(session, wanted.error());
  if (!options.at.empty()) {
    const auto found = look_back(session.paths, options, *wanted);
    return once(session, *wanted, found);
  }
  if (!options.watch) return once(session, *wanted, look(session.paths, *wanted));
  const auto interval = watch_interval(options.seconds);
  if (!interval) return report(session, interval.error());
  wanted->window = std::min<microseconds>(wanted->window, *interval / 2);
  return watch(session, *wanted, *interval);
}

std::string column_help() {
  std::string text = "Columns (-o), those in the standard table with *:\n";
  for (const LsColumn& column : ls_columns())
    text += fmt::format("  {:<16}{} {}\n", column.key, column.standard ? '*' : ' ', column.about);
  return text;
}

}  // namespace

void add_ls(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("ls", "List containers and services: limits, use, and who suffers");
  command->footer(column_help() +
                  "Sorted by what each loses to its worst trouble. ^: an ancestor holds the limit.\n"
                  "Examples:\n"
                  "  weir ls\n"
                  "  weir ls 'web-*' -o name,cpu,throttled,why\n"
                  "  weir ls --watch 2\n"
                  "  weir ls --at 03:12               from what weir watch --record kept\n"
                  "  weir ls --all --json");
  const auto options = std::make_shared<Options>();
  command->add_option("target", options->targets, "only these containers")->type_name("TARGET");
  CLI::Option* all =
      command->add_flag("--all", options->all, "every cgroup, read once (no rates unless --window is given)");
  command->add_option("-o,--columns", options->columns, "columns, separated by commas")->type_name("LIST");
  command->add_flag("--no-header", options->no_header, "leave out the titles");
  CLI::Option* window =
      command
          ->add_option("--window", options->window, "time over which rates are taken (300ms; 0: since start)")
          ->type_name("TIME");
  CLI::Option* watch = command->add_option("--watch", options->seconds, "again every SECONDS (2; at least 1)")
                           ->type_name("SECONDS")
                           ->expected(0, 1);
  command->add_option("--at", options->at, "as it was then: 03:12, '2026-11-21 03:12', '10m ago'")
      ->type_name("TIME")
      ->excludes(all)
      ->excludes(window)
      ->excludes(watch);
  add_history_option(*command, options->record_dir);
  command->callback([&session, options, watch] {
    options->watch = watch->count() > 0;
    session.action = [&session, options] { return list(session, *options); };
  });
}

}  // namespace weir::cli
