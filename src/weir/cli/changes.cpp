// SPDX-License-Identifier: MIT
// `weir changes [TARGET]`: what weir changed since the host booted, and whether it still holds.
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/changes_text.h"
#include "weir/cli/command.h"
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
  if (change.refill)
    json["granted_usec"] = {{change.refill->exact ? "exact" : "at_most", change.refill->granted.count()}};
  if (change.restore_at.count() > 0) json["restore_at_ns"] = change.restore_at.count();
  json["state"] = std::string(to_string(listed.standing));
  if (listed.standing == Standing::changed) json["now"] = listed.now;
  if (!change.note.empty()) json["note"] = change.note;
  return json;
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
    fmt::print(session.terminal.out, "{}",
               changes_text(listed, session.terminal.columns, session.terminal.colour));
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
    session.action = [&session, target] { return report(session, changes(session, *target)); };
  });
}

}  // namespace weir::cli
