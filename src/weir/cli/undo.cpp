// SPDX-License-Identifier: MIT
// `weir undo`: takes back what `weir set` changed, from the journal.
#include "weir/limits/undo.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <thread>

#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/command.h"
#include "weir/cli/outcome.h"
#include "weir/cli/shrinking.h"
#include "weir/cli/sync.h"
#include "weir/limits/caller.h"
#include "weir/limits/journal.h"

namespace weir::cli {
namespace {

struct Options {
  bool all = false, force = false, dry_run = false;
  std::string change;          ///< EPOCH@TIME: how --for names what it takes back
  std::uint64_t after_us = 0;  ///< the guardian's sleep
};

Result<limits::Selection> selection(const Options& options) {
  using Kind = limits::Selection::Kind;
  if (options.change.empty()) return limits::Selection{.kind = options.all ? Kind::all : Kind::last};
  const auto parts = split(options.change, '@');
  const auto epoch = parse_u64(parts[0]);
  const auto time = parts.size() == 2 ? parse_u64(parts[1]) : std::nullopt;
  if (!epoch || !time || *time > INT64_MAX)
    return std::unexpected(make_error(ErrorKind::invalid, options.change, "is not EPOCH@TIME"));
  return limits::Selection{.kind = Kind::epoch, .epoch = *epoch, .time = std::chrono::nanoseconds(*time)};
}

Result<limits::UndoResult> undo_once(Session& session, const Options& options, limits::UndoOrder order) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(const std::string boot_id, limits::read_boot_id(session.paths));
  std::optional<limits::Journal> journal;
  limits::History history;
  Shrinking shrinking(session);
  order.patience = shrinking.patience(order.patience.budget);
  if (options.dry_run) {
    WEIR_TRY(history, limits::read_history(session.paths.run_dir, boot_id));
  } else {
    limits::JournalOptions journal_options;
    // Nobody is there to try again; another weir may be shrinking memory for as long as two budgets.
    if (order.manner == limits::Manner::timed) journal_options.lock_wait = std::chrono::hours(3);
    WEIR_TRY(journal, limits::Journal::open(session.paths.run_dir, boot_id, journal_options));
    WEIR_TRY(history, limits::read_settled(*root, *journal, order));
  }
  if (history.damaged > 0)
    warn(session, fmt::format("{} damaged records in the journal {}/{} were passed over", history.damaged,
                              session.paths.run_dir, limits::kJournalFile));
  limits::UndoResult result = limits::undo(*root, std::move(history), journal ? &*journal : nullptr, order);
  if (result.trouble) warn(session, fmt::format("not noted in the journal: {}", result.trouble->message()));
  return result;
}

bool waits_for_memory(const limits::UndoResult& result) {
  return std::any_of(result.outcomes.begin(), result.outcomes.end(), [](const limits::Outcome& outcome) {
    return (outcome.status == limits::Status::refused || outcome.status == limits::Status::failed) &&
           outcome.change.after.knob == cgroup::Knob::memory_max;
  });
}

/// Tells Docker and systemd what was taken back; of an earlier boot only where nothing of this one was.
Result<limits::Settled> tell(const Session& session, const Options& options, bool nothing_else) {
  using limits::EarlierBoots;
  if (options.dry_run) return limits::Settled{};
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  EarlierBoots earlier = options.all ? EarlierBoots::take_back_all : EarlierBoots::leave;
  if (!options.all && options.change.empty() && nothing_else) earlier = EarlierBoots::take_back_last;
  return settle_once(session, *root, earlier);
}

Result<int> undo(Session& session, const Options& options) {
  const bool timed = !options.change.empty();
  limits::UndoOrder order{
      .force = options.force ? limits::Force::yes : limits::Force::no,
      .manner = timed ? limits::Manner::timed : limits::Manner::asked,
      .by = timed ? std::string("taken back when its time was over")
                  : "taken back by " + limits::describe(limits::read_caller(session.paths))};
  WEIR_TRY(order.selection, selection(options));
  std::this_thread::sleep_for(std::chrono::microseconds(options.after_us));
  WEIR_TRY(limits::UndoResult result, undo_once(session, options, order));
  // A memory.max that would kill now may fit a little later.
  for (int tries = 0; timed && tries < 60 && waits_for_memory(result); ++tries) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    WEIR_TRY(result, undo_once(session, options, order));
  }
  const bool nothing = result.outcomes.empty();
  const auto told = tell(session, options, nothing);
  const std::vector<limits::SyncRecord> records = told ? told->taken_back : std::vector<limits::SyncRecord>();
  int code = kDone;
  if (session.json || !nothing)
    code = show(session, result.outcomes, nothing ? 0 : result.outcomes.back().change.id.epoch, Gone::is_fine,
                records);
  else if (records.empty())
    fmt::print(session.terminal.out, "nothing to undo\n");
  if (!session.json) print_syncs(session, records, What::old_values);
  if (!told) warn(session, fmt::format("docker and systemd were told nothing: {}", told.error().message()));
  const bool failed = !told || any_failed(records);
  return code == kDone && failed ? kFailed : code;
}

}  // namespace

void add_undo(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("undo", "Take back the last change of limits, or all of them");
  command->footer(
      "Works from the journal, also after weir was killed. A limit is put back only if the container is "
      "still the\n"
      "same one and still holds what weir wrote; --force puts it back anyway.\n"
      "Examples:\n"
      "  weir undo              the last `weir set`\n"
      "  weir undo --all        everything, back to the first values\n"
      "  weir undo --dry-run    what would be put back");
  const auto options = std::make_shared<Options>();
  command->add_flag("--all", options->all, "Everything, back to the first values");
  command->add_flag("--force", options->force, "Also what was changed since, and cuts below what is in use");
  command->add_flag("--dry-run", options->dry_run, "Show old -> new and write nothing");
  command->add_option("--change", options->change)->group("");
  command->add_option("--after-us", options->after_us)->group("");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, undo(session, *options)); };
  });
}

}  // namespace weir::cli
