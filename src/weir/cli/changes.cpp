// SPDX-License-Identifier: MIT
// `weir changes [TARGET]`: what weir changed since the host booted, and whether it still holds.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <ctime>
#include <memory>
#include <ostream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/command.h"
#include "weir/cli/outcome.h"
#include "weir/cli/table.h"
#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/recent.h"

namespace weir::cli {
namespace {

using limits::Listed;
using limits::Standing;

/// Matches by what the user wrote then, by name (also behind a runtime's prefix, also with * and ?), or by
/// cgroup path: the container may be long gone, so the host cannot be asked.
bool is_about(const limits::Change& change, std::string_view target) {
  if (target.empty() || target == change.target || target == change.cgroup) return true;
  const std::size_t colon = target.find(':');
  return glob_match(target, change.name) ||
         (colon != std::string_view::npos && target.substr(colon + 1) == change.name);
}

std::tm local(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  std::tm tm{};
  const std::time_t clock = seconds;
  ::localtime_r(&clock, &tm);
  return tm;
}

Json to_json(const Listed& listed) {
  const limits::Change& change = listed.change;
  Json json = {{"epoch", change.id.epoch}, {"time_ns", change.time.count()},
               {"target", change.target},  {"name", change.name},
               {"cgroup", change.cgroup},  {"knob", std::string(cgroup::info(change.after.knob).file)}};
  if (!change.after.device.empty()) json["device"] = change.after.device;
  json["old"] = change.before.text;
  json["new"] = change.after.text;
  json["uid"] = change.who.uid;
  if (change.who.login_uid) json["login_uid"] = *change.who.login_uid;
  if (!change.who.sudo_user.empty()) json["sudo_user"] = change.who.sudo_user;
  json["reason"] = change.reason;
  if (change.restore_at.count() > 0) json["restore_at_ns"] = change.restore_at.count();
  json["state"] = std::string(to_string(listed.standing));
  if (listed.standing == Standing::changed) json["now"] = listed.now;
  if (!change.note.empty()) json["note"] = change.note;
  return json;
}

Tone tone(Standing standing) {
  switch (standing) {
    case Standing::in_force:
      return Tone::good;
    case Standing::changed:
    case Standing::failed:
      return Tone::warn;
    default:
      return Tone::dim;
  }
}

std::string state_text(const Listed& listed) {
  const std::string state(to_string(listed.standing));
  if (listed.standing == Standing::changed) {
    cgroup::Setting now = listed.change.after;
    now.text = listed.now;
    return fmt::format("{}: now {}", state, value_text(now));
  }
  if (listed.standing == Standing::in_force && listed.change.restore_at.count() > 0)
    return fmt::format("{} until {:%H:%M:%S}", state, local(listed.change.restore_at));
  return state;
}

void print_table(const Session& session, const std::vector<Listed>& changes) {
  if (changes.empty()) {
    fmt::print(session.terminal.out, "no changes since the host booted\n");
    return;
  }
  Table table({{.title = "TIME"},
               {.title = "TARGET", .may_shrink = true},
               {.title = "KNOB"},
               {.title = "OLD", .may_shrink = true},
               {.title = "NEW", .may_shrink = true},
               {.title = "STATE", .priority = 1, .may_shrink = true},
               {.title = "WHO", .priority = 2},
               {.title = "REASON", .priority = 3, .may_shrink = true}});
  for (const Listed& listed : changes) {
    const limits::Change& change = listed.change;
    table.add({{fmt::format("{:%m-%d %H:%M:%S}", local(change.time))},
               {change.name.empty() ? change.target : change.name},
               {fmt::format("{}{}{}", cgroup::info(change.after.knob).file,
                            change.after.device.empty() ? "" : " ", change.after.device)},
               {value_text(change.before)},
               {value_text(change.after)},
               {state_text(listed), tone(listed.standing)},
               {limits::describe(change.who)},
               {change.reason}});
  }
  fmt::print(session.terminal.out, "{}", table.render(session.terminal.columns, session.terminal.colour));
}

Result<int> changes(Session& session, const std::string& target) {
  WEIR_TRY(const std::string boot_id, limits::read_boot_id(session.paths));
  WEIR_TRY(limits::History history, limits::read_history(session.paths.run_dir, boot_id));
  const std::size_t damaged = history.damaged;
  if (damaged > 0)
    warn(session, fmt::format("{} damaged records in the journal {}/{} were passed over", damaged,
                              session.paths.run_dir, limits::kJournalFile));
  const auto root = cgroup::open_root(session.paths.cgroup_root);
  std::vector<Listed> listed = limits::list_changes(root ? root->get() : nullptr, std::move(history));
  std::erase_if(listed, [&](const Listed& one) { return !is_about(one.change, target); });
  if (!session.json) {
    print_table(session, listed);
    return kDone;
  }
  Json all = Json::array();
  for (const Listed& one : listed) all.push_back(to_json(one));
  fmt::print(session.terminal.out, "{}\n",
             dump_json({{"schema", 1}, {"changes", std::move(all)}, {"damaged", damaged}}));
  return kDone;
}

}  // namespace

void add_changes(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("changes", "List the changes of limits since the host booted");
  command->footer(
      "States: in force, superseded (by a later change), changed since (by someone else), undone, failed, "
      "gone.\n"
      "Examples:\n"
      "  weir changes\n"
      "  weir changes web\n"
      "  weir changes 'web-*' --json");
  const auto target = std::make_shared<std::string>();
  command
      ->add_option("target", *target, "a container's name (* and ? match), target as written, or cgroup path")
      ->type_name("TARGET");
  command->callback([&session, target] {
    session.action = [&session, target] {
      const Result<int> code = changes(session, *target);
      return code ? *code : report(session, code.error());
    };
  });
}

}  // namespace weir::cli
