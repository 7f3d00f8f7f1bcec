// SPDX-License-Identifier: MIT
#include "weir/cli/outcome.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <ostream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/sync_json.h"

namespace weir::cli {
namespace {

using limits::Outcome;
using limits::Status;

std::string knob_text(const cgroup::Setting& setting) {
  const std::string_view file = cgroup::info(setting.knob).file;
  return setting.device.empty() ? std::string(file) : fmt::format("{} {}", file, setting.device);
}

Json to_json(const Outcome& outcome) {
  const limits::Change& change = outcome.change;
  Json json = {{"target", change.target},
               {"name", change.name},
               {"cgroup", change.cgroup},
               {"knob", std::string(cgroup::info(change.after.knob).file)}};
  if (!change.after.device.empty()) json["device"] = change.after.device;
  json["old"] = change.before.text;
  json["new"] = change.after.text;
  json["status"] = std::string(to_string(outcome.status));
  if (change.refill && outcome.status == Status::changed)
    json["granted_usec"] = {{change.refill->exact ? "exact" : "at_most", change.refill->granted.count()}};
  if (outcome.error) {
    json["why"] = outcome.error->message();
    if (!outcome.error->hint.empty()) json["hint"] = outcome.error->hint;
  } else if (!change.note.empty()) {
    json["note"] = change.note;
  }
  if (outcome.shrink)
    json["shrink"] = {{"in_use", outcome.shrink->use.count()},
                      {"not_reclaimable", outcome.shrink->need.count()}};
  return json;
}

/// What the write itself let through beyond the limit, where that is anything.
std::string refill_text(const Outcome& outcome) {
  const std::optional<limits::Refill>& refill = outcome.change.refill;
  if (outcome.status != Status::changed || !refill || refill->granted.count() == 0) return {};
  return fmt::format(" (grants {}{:.1f} ms once)", refill->exact ? "" : "at most ",
                     static_cast<double>(refill->granted.count()) / 1e3);
}

/// What a dry run says of memory that stands in the way.
std::string shrink_text(const Outcome& outcome) {
  if (!outcome.shrink || outcome.status != Status::dry_run) return {};
  return fmt::format(" (shrinks it first: {} in use, {} of it cannot be reclaimed)",
                     format_bytes(outcome.shrink->use), format_bytes(outcome.shrink->need));
}

void print(const Session& session, const Outcome& outcome, Gone gone) {
  const limits::Change& change = outcome.change;
  const std::string where = terminal_safe(
      fmt::format("{}: {}", change.name.empty() ? change.target : change.name, knob_text(change.after)));
  std::ostream& out = session.terminal.out;
  switch (outcome.status) {
    case Status::changed:
    case Status::dry_run:
      fmt::print(out, "{} {} -> {}{}{}\n", where, terminal_safe(value_text(change.before)),
                 terminal_safe(value_text(change.after)), refill_text(outcome), shrink_text(outcome));
      break;
    case Status::rolled_back:
      fmt::print(out, "{} {} -> {}, taken back\n", where, terminal_safe(value_text(change.before)),
                 terminal_safe(value_text(change.after)));
      break;
    case Status::unchanged:
      fmt::print(out, "{} {} (unchanged{}{})\n", where, terminal_safe(value_text(change.after)),
                 change.note.empty() ? "" : ": ", terminal_safe(change.note));
      break;
    case Status::refused:
    case Status::failed:
    case Status::gone:
      const bool fine = outcome.status == Status::gone && gone == Gone::is_fine;
      std::ostream& stream = fine ? out : session.terminal.err;
      fmt::print(stream, "{}{} {}: {}\n", fine ? "" : "weir: ", where, to_string(outcome.status),
                 terminal_safe(outcome.error ? outcome.error->message() : change.note));
      if (outcome.error && !outcome.error->hint.empty())
        fmt::print(stream, "  {}\n", terminal_safe(outcome.error->hint));
      break;
  }
}

int exit_code(const Outcome& outcome, Gone gone) {
  switch (outcome.status) {
    case Status::changed:
    case Status::dry_run:
    case Status::unchanged:
      return kDone;
    case Status::gone:
      return gone == Gone::is_fine ? kDone : kTargetGone;
    case Status::rolled_back:
    case Status::refused:
    case Status::failed:
      return outcome.error && outcome.error->kind == ErrorKind::absent ? kHostCannot : kFailed;
  }
  return kFailed;
}

}  // namespace

std::string value_text(const cgroup::Setting& setting) {
  // describe() puts the knob and the device in front.
  return describe(setting).substr(knob_text(setting).size() + 1);
}

int show(const Session& session, const std::vector<Outcome>& outcomes, std::uint64_t epoch, Gone gone,
         const std::vector<limits::SyncRecord>& synced) {
  Json changes = Json::array();
  int code = kDone;
  for (const Outcome& outcome : outcomes) {
    if (session.json)
      changes.push_back(to_json(outcome));
    else
      print(session, outcome, gone);
    const int own = exit_code(outcome, gone);
    if (code == kDone || (code == kTargetGone && own != kDone)) code = own;
  }
  if (session.json) {
    Json json = {{"schema", 1}, {"changes", std::move(changes)}, {"epoch", epoch}};
    for (const limits::SyncRecord& record : synced) json["sync"].push_back(sync_json(record));
    fmt::print(session.terminal.out, "{}\n", dump_json(json));
  }
  return code;
}

}  // namespace weir::cli
