// SPDX-License-Identifier: MIT
#include "weir/cgroup/walk.h"

namespace weir::cgroup {
namespace {

Visit walk_below(Dir& dir, const std::function<Visit(Dir&)>& visit, std::size_t depth, WalkReport& report) {
  const Visit answer = visit(dir);
  if (answer != Visit::descend) return answer;
  const auto names = dir.children();
  if (!names) {
    if (names.error().kind != ErrorKind::gone) ++report.unreadable;
    return Visit::descend;
  }
  if (names->empty()) return Visit::descend;
  if (depth == kMaxWalkDepth) {
    ++report.too_deep;
    return Visit::descend;
  }
  for (const std::string& name : *names) {
    auto child = dir.open(name);
    if (!child) {
      // Gone, or absent: it ended between the listing and the opening.
      if (child.error().kind != ErrorKind::gone && child.error().kind != ErrorKind::absent)
        ++report.unreadable;
      continue;
    }
    if (walk_below(**child, visit, depth + 1, report) == Visit::stop) return Visit::stop;
  }
  return Visit::descend;
}

}  // namespace

Result<WalkReport> walk(Dir& start, const std::function<Visit(Dir&)>& visit) {
  if (!start.alive())
    return std::unexpected(make_error(ErrorKind::gone, start.path(), "the cgroup has ended"));
  WalkReport report;
  walk_below(start, visit, 0, report);
  return report;
}

}  // namespace weir::cgroup
