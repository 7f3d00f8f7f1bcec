// SPDX-License-Identifier: MIT
// systemd's services and scopes, from the cgroup tree alone: what stands directly below a chain of slices
// that begins at the root. Nothing below a service or scope is looked at: it belongs to whoever runs there.
#include "weir/container/scan.h"

namespace weir::container {
namespace {

constexpr int kDeepest = 16;

bool is_unit(std::string_view name) { return name.ends_with(".service") || name.ends_with(".scope"); }

void scan_level(Scan& scan, const std::string& path, int depth) {
  for (const std::string& name : scan.children(path)) {
    std::string below = path + "/" + name;
    if (name.ends_with(".slice") && depth < kDeepest) scan_level(scan, below, depth + 1);
    if (!is_unit(name) || (!scan.wanted.empty() && name != scan.wanted)) continue;
    Container unit;
    unit.name = name;
    unit.runtime = Runtime::systemd;
    unit.cgroup = std::move(below);
    scan.found.push_back(std::move(unit));
  }
}

}  // namespace

void scan_units(Scan& scan) { scan_level(scan, "", 0); }

}  // namespace weir::container
