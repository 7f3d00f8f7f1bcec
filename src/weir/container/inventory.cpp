// SPDX-License-Identifier: MIT
#include "weir/container/inventory.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include "weir/cgroup/walk.h"
#include "weir/container/scan.h"

namespace weir::container {
namespace {

using Paths = std::set<std::string, std::less<>>;

/// Adds those whose cgroup nobody has claimed yet: a container's scope is not listed again as a unit.
void add_unclaimed(std::vector<Container>& all, std::vector<Container> more, Paths& claimed) {
  for (Container& container : more)
    if (claimed.insert(container.cgroup).second) all.push_back(std::move(container));
}

std::vector<Container> every_cgroup(cgroup::Dir& root, std::vector<Note>& notes) {
  std::vector<Container> all;
  const auto walked = cgroup::walk(root, [&](cgroup::Dir& dir) {
    if (dir.path() == "/") return cgroup::Visit::descend;
    Container plain;
    plain.name = dir.path();
    plain.cgroup = dir.path();
    all.push_back(std::move(plain));
    return cgroup::Visit::descend;
  });
  if (!walked)
    notes.push_back({"cgroups", walked.error().message()});
  else if (walked->too_deep + walked->unreadable > 0)
    notes.push_back({"cgroups", fmt::format("not everything was seen: {} unreadable, {} too deep",
                                            walked->unreadable, walked->too_deep)});
  return all;
}

}  // namespace

Inventory take_inventory(const HostPaths& paths, cgroup::Dir& root, Include include) {
  Scan scan{.paths = paths, .root = root};
  for (const Source& source : sources()) source.scan(scan);
  Inventory inventory{.notes = std::move(scan.notes)};
  Paths claimed;
  add_unclaimed(inventory.containers, std::move(scan.found), claimed);
  if (include != Include::containers) {
    Scan units{.paths = paths, .root = root};
    scan_units(units);
    add_unclaimed(inventory.containers, std::move(units.found), claimed);
  }
  if (include == Include::every_cgroup)
    add_unclaimed(inventory.containers, every_cgroup(root, inventory.notes), claimed);
  std::ranges::sort(inventory.containers, {},
                    [](const Container& each) { return std::tie(each.name, each.cgroup); });
  return inventory;
}

Result<Inventory> take_inventory(const HostPaths& paths, Include include) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(paths.cgroup_root));
  return take_inventory(paths, *root, include);
}

}  // namespace weir::container
