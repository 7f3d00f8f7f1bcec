// SPDX-License-Identifier: MIT
// `weir top`: the live table of containers, on a terminal, as plain text or as JSON.
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <ostream>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/clock_text.h"
#include "weir/cli/command.h"
#include "weir/cli/open_files.h"
#include "weir/cli/recorded.h"
#include "weir/cli/signals.h"
#include "weir/cli/top_columns.h"
#include "weir/cli/top_json.h"
#include "weir/cli/top_live.h"
#include "weir/cli/top_model.h"
#include "weir/container/match.h"
#include "weir/sample/frames.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> targets;
  std::string sort = "cpu", filter;
  std::string at, record_dir;
  bool once = false, services = false, reverse = false;
};

struct Wanted {
  std::vector<container::Target> targets;
  TopState state;
};

/// A process is where it is now: its cgroup is the target from then on.
Result<container::Target> understand(const std::string& text, const HostPaths& paths, cgroup::Dir& root) {
  WEIR_TRY(container::Target target, container::parse_target(text));
  if (target.kind != container::TargetKind::pid) return target;
  WEIR_TRY(const std::vector<Container> found, container::resolve(target, paths, root));
  return container::parse_target(found.front().cgroup);
}

TopState state_of(const Options& options) {
  TopState state;
  state.sort = parse_top_sort(options.sort).value_or(TopSort::cpu);
  state.order = options.reverse ? TopOrder::reversed : TopOrder::usual;
  state.filter = options.filter;
  state.services = options.services;
  return state;
}

Result<Wanted> understand(const Session& session, const Options& options, cgroup::Dir& root) {
  Wanted wanted;
  for (const std::string& text : options.targets) {
    WEIR_TRY(container::Target target, understand(text, session.paths, root));
    wanted.targets.push_back(std::move(target));
  }
  wanted.state = state_of(options);
  return wanted;
}

bool is_live(const Session& session, const Options& options) {
  return !session.json && !options.once && session.terminal.out_tty && session.terminal.in_tty;
}

std::string host_line(const TopView& view) {
  const TopUse& host = view.host;
  const auto cpus = cpu_limit(host.now);
  const auto used = host.now.get(Metric::memory_current);
  std::optional<double> busy;
  if (host.cpu && cpus && !cpus->is_unlimited() && cpus->value() > 0) busy = *host.cpu / cpus->value();
  return fmt::format("{}  CPU {} of {}  memory {} of {}  pressure: cpu {}, memory {}, io {}",
                     clock_text(view.time), share_text(busy), limit_text(cpus),
                     used ? format_bytes(Bytes(*used)) : "-", limit_text(memory_limit(host.now)),
                     share_text(host.some.cpu), share_text(host.some.memory), share_text(host.some.io));
}

std::string table_text(const TopView& view, const std::vector<TopRow>& rows, const Terminal& terminal) {
  const TopHistory none;
  const TopContext context{.host = view.host, .history = none};
  std::vector<Column> heads;
  std::vector<const TopColumn*> columns;
  for (const TopPlaced& placed : place_columns(terminal.columns)) {
    if (placed.column->kind != TopColumn::Kind::text) continue;
    columns.push_back(placed.column);
    heads.push_back({.title = std::string(placed.column->title),
                     .align = placed.column->align,
                     .priority = placed.column->importance - 1,
                     .may_shrink = placed.column->align == Align::left});
  }
  Table table(std::move(heads));
  for (const TopRow& row : rows) {
    std::vector<Cell> cells;
    for (const TopColumn* column : columns) cells.push_back(column->cell(row, context, column->most));
    table.add(std::move(cells));
  }
  return table.empty() ? "nothing to show here; --services shows services of systemd too\n"
                       : table.render(terminal.columns, terminal.colour);
}

/// One picture, where there are rates. False: what reads it is gone.
bool print(const Session& session, const TopModel& model, const Wanted& wanted, std::string_view source) {
  const std::vector<TopRow> rows = shown_rows(model.view(), wanted.state, wanted.targets);
  if (session.json)
    fmt::print(session.terminal.out, "{}\n", top_json(model.view(), rows, source));
  else
    fmt::print(session.terminal.out, "{}\n{}", host_line(model.view()),
               table_text(model.view(), rows, session.terminal));
  session.terminal.out.flush();
  return session.terminal.out.good();
}

enum class Often { once, until_ended };
/// Text or JSON, picture after picture.
Result<int> print(const Session& session, const Wanted& wanted, sample::Frames& frames, const Fd& signals,
                  Often often) {
  TopModel model;
  for (;;) {
    WEIR_TRY(const Frame* frame, frames.next());
    (void)frames.take_changes();
    for (const std::string& note : frames.take_notes()) warn(session, note);
    if (frame != nullptr && model.see(*frame) && model.has_rates()) {
      const bool read = print(session, model, wanted, sample::to_string(frames.role()));
      if (often == Often::once || !read) return kDone;
    }
    if (wait_for(std::array{signals.get(), frames.fd()}, frames.again())) return kDone;
  }
}

/// What the terminal's own signals are read as, where a picture is on it.
constexpr std::array kOfTerminal = {SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT};

Result<int> look_back(const Session& session, const Options& options) {
  Wanted wanted{.targets = {}, .state = state_of(options)};
  WEIR_TRY(wanted.targets, parse_recorded_targets(options.targets));
  WEIR_TRY(TopReplay replay, TopReplay::open(history_directory(options.record_dir, session.paths), options.at,
                                             SystemClock().realtime()));
  if (!is_live(session, options)) {
    if (!session.json) fmt::print(session.terminal.out, "{}\n", replay.found());
    print(session, replay.model(), wanted, "recorded");
    return kDone;
  }
  WEIR_TRY(const Fd signals, open_signals(kOfTerminal));
  WEIR_TRY(TopScreen screen, TopScreen::open(session.terminal.colour ? Colour::on : Colour::off));
  return TopLive(screen, std::move(replay), std::move(wanted.targets), std::move(wanted.state)).run(signals);
}

Result<int> top(const Session& session, const Options& options) {
  if (!options.at.empty()) return look_back(session, options);
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(Wanted wanted, understand(session, options, *root));
  const bool live = is_live(session, options);
  WEIR_TRY(const Fd signals, open_signals(live ? std::span<const int>(kOfTerminal) : std::span<const int>()));
  allow_open_files();
  const SystemClock clock;
  const auto open = [&] { return sample::Frames::open(*root, session.paths, clock, {}); };
  if (!live) {
    WEIR_TRY(sample::Frames frames, open());
    return print(session, wanted, frames, signals,
                 options.once || !session.json ? Often::once : Often::until_ended);
  }
  WEIR_TRY(TopScreen screen, TopScreen::open(session.terminal.colour ? Colour::on : Colour::off));
  return TopLive(screen, open, *root, std::move(wanted.targets), std::move(wanted.state)).run(signals);
}

}  // namespace

void add_top(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("top", "Live table of containers: use, limits, throttling, pressure");
  std::string keys = "Keys:\n";
  for (const TopKeyHelp& key : top_key_help()) keys += fmt::format("  {:<14} {}\n", key.keys, key.does);
  command->footer(keys +
                  "Examples:\n"
                  "  weir top\n"
                  "  weir top 'web-*' label:tier=db --sort throttled\n"
                  "  weir top --once                       two looks a second apart, as text\n"
                  "  weir top --at 03:12                   as it was then (weir watch --record)\n"
                  "  weir top --json | jq -c '.containers[] | [.name, .rates.cpus]'");
  const auto options = std::make_shared<Options>();
  command->add_option("targets", options->targets, "Only these containers")->type_name("TARGET");
  std::vector<std::string> sorts;
  for (std::size_t n = 0; n < kTopSorts; ++n) sorts.emplace_back(to_string(static_cast<TopSort>(n)));
  command->add_option("--sort", options->sort, "name, cpu, throttled, memory, io, pressure, pids or kills")
      ->check(CLI::IsMember(sorts).description(""))
      ->type_name("COLUMN")
      ->capture_default_str();
  command->add_flag("-r,--reverse", options->reverse, "Sort the other way round");
  command
      ->add_option("--filter", options->filter, "Only those with this in name, image, label, runtime or id")
      ->type_name("TEXT");
  command->add_flag("-s,--services", options->services, "Services of systemd too");
  command->add_option("--at", options->at, "As it was then: 03:12, '2026-11-21 03:12', '10m ago'")
      ->type_name("TIME");
  add_history_option(*command, options->record_dir);
  command->add_flag("--once", options->once, "Print one picture and end; so without a terminal");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, top(session, *options)); };
  });
}

}  // namespace weir::cli
