// SPDX-License-Identifier: MIT
// LXC: the payload cgroups at LXC's anchors ("/lxc.payload.NAME"; "/lxc/NAME" before LXC 4; lxc.cgroup.dir of
// a container's own configuration). Only root can make those, so their name is the runtime's word; LXC has no
// ids.
#include <fmt/format.h>

#include <set>

#include "weir/base/text.h"
#include "weir/container/records.h"
#include "weir/container/scan.h"

namespace weir::container {
namespace {

constexpr std::string_view kPayload = "lxc.payload.";

/// The last value of `key` in an LXC configuration.
std::string config_value(std::string_view text, std::string_view key) {
  std::string value;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && trim(line.substr(0, equals)) == key)
      value = trim(line.substr(equals + 1));
  }
  return value;
}

class LxcScan {
 public:
  explicit LxcScan(Scan& scan) : scan_(scan) {}

  void run() {
    const std::set<std::string, std::less<>> configured = read_names();
    for (const std::string& child : scan_.children("/"))
      if (child.starts_with(kPayload)) add(real_name(child.substr(kPayload.size()), configured), "/" + child);
    for (const std::string_view parent : {"/lxc", "/lxc.payload"})
      for (const std::string& child : scan_.children(parent)) add(child, fmt::format("{}/{}", parent, child));
    for (const std::string& name : configured)
      if (!seen_.contains(name) && scan_.wants(name, {})) find_elsewhere(name);
  }

 private:
  std::set<std::string, std::less<>> read_names() {
    if (auto records = Records::open(scan_.paths, lxc_path())) {
      if (auto names = records->names()) {
        records_ = std::move(*records);
        return {names->begin(), names->end()};
      }
    }
    return {};
  }

  std::string lxc_path() const {
    if (const auto etc = Records::open(scan_.paths, "/etc/lxc"))
      if (const auto conf = etc->read("lxc.conf"))
        if (std::string path = config_value(*conf, "lxc.lxcpath"); path.starts_with('/')) return path;
    return "/var/lib/lxc";
  }

  /// LXC appends -1, -2, … where an old cgroup of the same name is left.
  static std::string real_name(const std::string& name,
                               const std::set<std::string, std::less<>>& configured) {
    const std::size_t dash = name.rfind('-');
    if (configured.contains(name) || dash == std::string::npos ||
        !parse_u64(std::string_view(name).substr(dash + 1)))
      return name;
    const std::string stem = name.substr(0, dash);
    return configured.contains(stem) ? stem : name;
  }

  void find_elsewhere(const std::string& name) {
    const auto text = records_->read(name + "/config");
    if (!text) return;
    std::string path = config_value(*text, "lxc.cgroup.dir.container");
    if (path.empty()) {
      const std::string dir = config_value(*text, "lxc.cgroup.dir");
      if (dir.empty()) return;
      path = fmt::format("{}/{}{}", dir, kPayload, name);
    }
    if (!path.starts_with('/')) path.insert(0, "/");
    if (scan_.has_cgroup(path)) add(name, path);
  }

  void add(const std::string& name, std::string cgroup) {
    seen_.insert(name);
    if (!scan_.wants(name, {})) return;
    Container container;
    container.name = name;
    container.runtime = Runtime::lxc;
    container.cgroup = std::move(cgroup);
    scan_.found.push_back(std::move(container));
  }

  Scan& scan_;
  std::optional<Records> records_;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace

void scan_lxc(Scan& scan) { LxcScan(scan).run(); }

}  // namespace weir::container
