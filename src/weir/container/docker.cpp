// SPDX-License-Identifier: MIT
// Docker: who runs comes from the cgroup tree at Docker's anchors, what it is called from the daemon's own
// files (containers/ID/config.v2.json: one read, no daemon involved, over 10 times cheaper than asking). The
// API is asked only for ids that the files do not tell: not root, another data-root than daemon.json says.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "weir/container/anchor.h"
#include "weir/container/record.h"
#include "weir/container/records.h"
#include "weir/container/scan.h"
#include "weir/docker/client.h"
#include "weir/docker/containers.h"

namespace weir::container {
namespace {

constexpr std::string_view kSubject = "docker";
constexpr auto kPatience = std::chrono::milliseconds(2'000);
constexpr std::size_t kMostInspects = 64;

using Anchored = std::map<std::string, std::string, std::less<>>;  // id -> cgroup path

/// Where a container with this parent may be, by either cgroup driver.
std::vector<std::string> places(std::string_view parent, std::string_view id) {
  std::vector<std::string> paths;
  if (const auto slice = slice_path(parent)) paths.push_back(fmt::format("{}/docker-{}.scope", *slice, id));
  paths.push_back(fmt::format("{}{}/{}", parent.starts_with('/') ? "" : "/", parent, id));
  return paths;
}

class DockerScan {
 public:
  explicit DockerScan(Scan& scan) : scan_(scan) {}

  void run() {
    read_daemon_json();
    find_anchored();
    auto records = Records::open(scan_.paths, daemon_.data_root + "/containers");
    if (records) {
      for (const auto& [id, cgroup] : anchored_) take_record(*records, id, cgroup);
      if (!found_by_name_) find_elsewhere(*records);
      if (!unrecorded_.empty() && !found_by_name_) ask_daemon();
    } else {
      for (const auto& [id, cgroup] : anchored_) unrecorded_.insert(id);
      installed_ = records.error().kind != ErrorKind::absent || !anchored_.empty();
      ask_daemon();
    }
    for (const std::string& id : unrecorded_) add_nameless(id);
  }

 private:
  void read_daemon_json() {
    const auto etc = Records::open(scan_.paths, "/etc/docker");
    const auto text = etc ? etc->read("daemon.json") : std::unexpected(etc.error());
    if (text) {
      if (auto daemon = parse_docker_daemon(*text))
        daemon_ = std::move(*daemon);
      else
        scan_.note(kSubject, daemon.error().message());
    }
    if (!daemon_.data_root.starts_with('/')) daemon_.data_root = "/var/lib/docker";
  }

  void find_anchored() {
    for (const std::string& name : scan_.children("/system.slice"))
      if (const std::string_view id = scope_id(name, "docker"); !id.empty())
        anchored_.emplace(id, "/system.slice/" + name);
    for (const std::string& name : scan_.children("/docker"))
      if (docker::is_full_id(name)) anchored_.emplace(name, "/docker/" + name);
  }

  /// Adds the container if the record can be read and is wanted.
  void take_record(const Records& records, const std::string& id, const std::string& cgroup) {
    const auto text = records.read(id + "/config.v2.json");
    if (!text && text.error().kind == ErrorKind::absent) {
      unrecorded_.insert(id);
      return;
    }
    if (text && !may_be_wanted(*text, id)) return;
    auto record = text ? parse_docker_record(*text, id) : std::unexpected(text.error());
    if (!record) {
      scan_.note(kSubject, fmt::format("the record of {} cannot be used: {}", id.substr(0, 12),
                                       record.error().message()));
      unrecorded_.insert(id);
      return;
    }
    add(std::move(record->container), cgroup);
  }

  /// Running containers away from the default anchors (--cgroup-parent): their own record says where.
  void find_elsewhere(const Records& records) {
    const auto ids = records.names();
    if (!ids) return scan_.note(kSubject, ids.error().message());
    for (const std::string& id : *ids) {
      if (!docker::is_full_id(id) || anchored_.contains(id)) continue;
      const auto text = records.read(id + "/config.v2.json");
      // A host may keep thousands of stopped containers: look before parsing.
      if (!text || text->find("\"Running\":true") == std::string::npos || !may_be_wanted(*text, id)) continue;
      auto record = parse_docker_record(*text, id);
      if (!record || !record->running) continue;
      const auto host = records.read(id + "/hostconfig.json");
      const auto parent = host ? parse_docker_cgroup_parent(*host) : std::unexpected(host.error());
      if (!parent) {
        scan_.note(kSubject, fmt::format("the record of {} cannot be used: {}", id.substr(0, 12),
                                         parent.error().message()));
        continue;
      }
      if (const auto cgroup = find_place(*parent, id)) add(std::move(record->container), *cgroup);
    }
  }

  std::optional<std::string> find_place(std::string_view parent, std::string_view id) {
    if (const auto at = anchored_.find(id); at != anchored_.end()) return at->second;
    if (parent.empty()) parent = daemon_.cgroup_parent;
    if (parent.empty()) return std::nullopt;
    for (const std::string& path : places(parent, id))
      if (scan_.has_cgroup(path)) return path;
    return std::nullopt;
  }

  bool may_be_wanted(std::string_view record, std::string_view id) const {
    return scan_.wanted.empty() || id.starts_with(scan_.wanted) ||
           record.find(fmt::format("\"Name\":\"/{}\"", scan_.wanted)) != std::string_view::npos;
  }

  void ask_daemon() {
    auto client =
        docker::Client::connect({.socket = scan_.paths.host(docker::kDockerSocket), .timeout = kPatience});
    auto list = client ? client->list() : std::unexpected(client.error());
    if (!list) {
      if (list.error().kind != ErrorKind::absent || installed_)
        scan_.note(
            kSubject,
            fmt::format("does not answer ({}), and its files cannot be read: containers may be missing here",
                        list.error().message()));
      return;
    }
    std::size_t inspects = 0;
    for (Container& container : *list) {
      const auto at = anchored_.find(container.id);
      const bool known = at != anchored_.end() && !unrecorded_.contains(container.id);
      if (known || !scan_.wants(container.name, container.id)) {
        unrecorded_.erase(container.id);
        continue;
      }
      if (at != anchored_.end()) {
        add(std::move(container), at->second);
        continue;
      }
      if (++inspects > kMostInspects) continue;
      const auto inspect = client->inspect(container.id);
      if (!inspect) continue;
      container.pid = inspect->pid;
      if (const auto cgroup = find_place(inspect->cgroup_parent, container.id))
        add(std::move(container), *cgroup);
    }
  }

  /// Docker's own place in the tree, and nobody to say its name: the id must do.
  void add_nameless(const std::string& id) {
    if (!scan_.wants({}, id)) return;
    Container container;
    container.id = id;
    container.name = id.substr(0, 12);
    container.runtime = Runtime::docker;
    container.cgroup = anchored_.at(id);
    scan_.found.push_back(std::move(container));
  }

  void add(Container container, const std::string& cgroup) {
    unrecorded_.erase(container.id);
    found_by_name_ = found_by_name_ || (!scan_.wanted.empty() && container.name == scan_.wanted);
    container.cgroup = cgroup;
    scan_.found.push_back(std::move(container));
  }

  Scan& scan_;
  DockerDaemon daemon_;
  Anchored anchored_;
  std::set<std::string, std::less<>> unrecorded_;  // at an anchor, but no file tells its name
  bool installed_ = true;                          // there are signs of Docker on this host
  bool found_by_name_ = false;  // a name is unique within a daemon: no need to look further
};

}  // namespace

void scan_docker(Scan& scan) { DockerScan(scan).run(); }

}  // namespace weir::container
