// SPDX-License-Identifier: MIT
#include "weir/limits/recent.h"

#include <utility>

#include "weir/limits/caller.h"
#include "weir/limits/journal.h"
#include "weir/limits/undo.h"

namespace weir::limits {
namespace {

Listed stand(const cgroup::Dir* root, const Change& change, bool newest) {
  Listed listed{.change = change, .standing = Standing::unknown, .now = {}};
  if (change.phase == Phase::undone) listed.standing = Standing::undone;
  if (change.phase == Phase::failed) listed.standing = Standing::failed;
  if (change.phase == Phase::gone) listed.standing = Standing::gone;
  if (!in_force(change) || root == nullptr) return listed;
  const auto dir = open_cgroup(*root, change);
  if (!dir) {
    if (dir.error().kind == ErrorKind::gone) listed.standing = Standing::gone;
    return listed;
  }
  if (!newest) {
    listed.standing = Standing::superseded;
    return listed;
  }
  const auto now = cgroup::read_setting(**dir, change.after);
  if (!now) {
    if (now.error().kind == ErrorKind::gone) listed.standing = Standing::gone;
    return listed;
  }
  if (*now == change.after)
    listed.standing = Standing::in_force;
  else if (change.phase == Phase::intent && *now == change.before)
    listed.standing = Standing::interrupted;
  else {
    listed.standing = Standing::changed;
    listed.now = now->text;
  }
  return listed;
}

}  // namespace

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::in_force:
      return "in force";
    case Standing::superseded:
      return "superseded";
    case Standing::changed:
      return "changed since";
    case Standing::interrupted:
      return "never written";
    case Standing::undone:
      return "undone";
    case Standing::failed:
      return "failed";
    case Standing::gone:
      return "gone";
    case Standing::unknown:
      return "unknown";
  }
  return "unknown";
}

std::vector<Listed> list_changes(const cgroup::Dir* root, History history) {
  std::map<Place, ChangeId> newest;
  for (const auto& [where, chain] : chains(history.changes)) newest[where] = chain.back()->id;
  std::vector<Listed> listed;
  listed.reserve(history.changes.size());
  for (const Change& change : history.changes) {
    const auto top = newest.find(place(change));
    listed.push_back(stand(root, change, top != newest.end() && top->second == change.id));
  }
  return listed;
}

Result<std::vector<Listed>> recent_changes(const HostPaths& paths, const cgroup::Dir* root,
                                           std::chrono::nanoseconds since) {
  WEIR_TRY(const std::string boot_id, read_boot_id(paths));
  WEIR_TRY(History history, read_history(paths.run_dir, boot_id));
  // The chains need the older changes too, so the cut comes last.
  std::vector<Listed> listed = list_changes(root, std::move(history));
  std::erase_if(listed, [&](const Listed& one) { return one.change.time < since; });
  return listed;
}

}  // namespace weir::limits
