// SPDX-License-Identifier: MIT
// `weir status`: what Weir has going on this host now.
#include "weir/cli/status.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <utility>

#include "weir/base/clock.h"
#include "weir/cgroup/dir.h"
#include "weir/cli/command.h"
#include "weir/cli/sync_json.h"
#include "weir/container/target.h"
#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/settle.h"
#include "weir/limits/stay_lock.h"
#include "weir/limits/undo.h"

namespace weir::cli {
namespace {

using limits::Listed;
using limits::Standing;

/// The container at a cgroup's path, as its runtime says; nobody's where there is none.
Result<limits::Subject> subject_at(const std::string& cgroup, const Session& session, cgroup::Dir& root,
                                   const limits::Change& change, const std::string& boot_id) {
  WEIR_TRY(const container::Target target, container::parse_target(cgroup));
  WEIR_TRY(const std::vector<Container> found, container::resolve(target, session.paths, root));
  return limits::subject_of(found.front(), change.cgroup_id, boot_id);
}

/// Asks the runtimes of all limits in force what they think these are.
void ask_runtimes(const Session& session, cgroup::Dir& root, const std::string& boot_id, HostStatus& status) {
  constexpr std::chrono::seconds kPatience{2};
  limits::Runtimes runtimes(session.paths, kPatience);
  std::map<std::string, std::vector<const Listed*>> by_cgroup;
  for (const Listed& listed : status.limits)
    if (listed.standing == Standing::in_force) by_cgroup[listed.change.cgroup].push_back(&listed);
  for (const auto& [cgroup, listed] : by_cgroup) {
    const limits::Change& change = listed.front()->change;
    const auto subject = subject_at(cgroup, session, root, change, boot_id);
    const auto dir = limits::open_cgroup(root, change);
    if (!subject || !dir) continue;
    std::vector<cgroup::Setting> settings;
    for (const Listed* one : listed) settings.push_back(one->change.after);
    auto how = limits::disagreements(runtimes, *subject, settings, **dir);
    if (how && !how->empty()) status.differing.push_back({change.name, std::move(*how)});
    if (how || how.error().kind == ErrorKind::gone) continue;
    if (std::string why = how.error().message();
        std::ranges::find(status.unasked, why) == status.unasked.end())
      status.unasked.push_back(std::move(why));
  }
}

Result<HostStatus> gather(const Session& session) {
  const SystemClock clock;
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  WEIR_TRY(const std::string boot_id, limits::read_boot_id(session.paths));
  WEIR_TRY(limits::History history, limits::read_history(session.paths.run_dir, boot_id));
  WEIR_TRY(limits::SyncRecords syncs, limits::read_syncs(session.paths.state_dir));
  HostStatus status{.now = clock.realtime(),
                    .limits = limits::list_changes(root.get(), std::move(history)),
                    .syncs = std::move(syncs.records),
                    .guard = limits::find_staying(session.paths.run_dir, limits::Stay::guard),
                    .damaged = syncs.damaged};
  std::erase_if(status.limits, [](const Listed& listed) {
    return listed.standing != Standing::in_force && listed.standing != Standing::changed;
  });
  ask_runtimes(session, *root, boot_id, status);
  return status;
}

Json to_json(const HostStatus& status) {
  Json limits = Json::array(), differing = Json::array(), syncs = Json::array();
  for (const Listed& listed : status.limits) {
    const limits::Change& change = listed.change;
    Json json = {{"name", change.name},
                 {"cgroup", change.cgroup},
                 {"knob", std::string(cgroup::info(change.after.knob).file)}};
    if (!change.after.device.empty()) json["device"] = change.after.device;
    json["value"] = change.after.text;
    json["epoch"] = change.id.epoch;
    json["state"] = std::string(to_string(listed.standing));
    if (change.restore_at.count() > 0) {
      json["restore_at_ns"] = change.restore_at.count();
      json["left_ns"] = (change.restore_at - status.now).count();
    }
    limits.push_back(std::move(json));
  }
  for (const HostStatus::Differing& one : status.differing)
    differing.push_back({{"name", one.name}, {"how", one.how}});
  for (const limits::SyncRecord& record : status.syncs) syncs.push_back(sync_json(record));
  return {{"schema", 1},
          {"limits", std::move(limits)},
          {"differing", std::move(differing)},
          {"unasked", status.unasked},
          {"sync", std::move(syncs)},
          {"guard", status.guard ? Json{{"pid", status.guard->count()}} : Json(nullptr)},
          {"damaged", status.damaged}};
}

Result<int> status(const Session& session) {
  WEIR_TRY(const HostStatus status, gather(session));
  if (session.json)
    fmt::print(session.terminal.out, "{}\n", dump_json(to_json(status)));
  else
    fmt::print(session.terminal.out, "{}",
               status_text(status, session.terminal.columns, session.terminal.colour));
  return kDone;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("status", "Show what weir has going on this host now");
  command->footer(
      "Limits in force and whether Docker and systemd say the same, what they are still to be told "
      "(set --sync), the limits that --for will take back, and whether weir guard runs.\n"
      "Examples:\n"
      "  weir status\n"
      "  weir status --json");
  command->callback([&session] { session.action = [&session] { return report(session, status(session)); }; });
}

}  // namespace weir::cli
