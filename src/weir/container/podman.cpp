// SPDX-License-Identifier: MIT
// Podman, without its service: names from containers/storage (containers.json, and volatile-containers.json
// for --rm), the cgroup from each container's OCI config.json, root's storage first, then that of every user
// who is logged in. What a user's storage says can only lead to cgroups below that user's own service.
#include <fmt/format.h>

#include <set>

#include "weir/base/text.h"
#include "weir/container/anchor.h"
#include "weir/container/record.h"
#include "weir/container/records.h"
#include "weir/container/scan.h"
#include "weir/docker/client.h"
#include "weir/docker/containers.h"

namespace weir::container {
namespace {

constexpr std::string_view kSubject = "podman";

struct Store {
  std::string graph, run;   // storage below /var/lib and below /run
  std::string cgroup_base;  // in front of every cgroup; "" for root
  Records::Owner owner = Records::Owner::root;
};

class StoreScan {
 public:
  StoreScan(Scan& scan, Store store) : scan_(scan), store_(std::move(store)) {}

  void run() {
    const auto graph = Records::open(scan_.paths, store_.graph, store_.owner);
    if (!graph) {
      if (graph.error().kind != ErrorKind::absent)
        scan_.note(kSubject, graph.error().message() + ", so its containers were not searched");
      return;
    }
    const auto names = graph->names();
    if (!names) return scan_.note(kSubject, names.error().message());
    for (const std::string& name : *names) {
      if (!name.ends_with("-containers")) continue;  // overlay-containers, vfs-containers, …
      const auto driver = graph->below(name);
      if (!driver) continue;
      const auto run = Records::open(scan_.paths, store_.run + "/" + name, store_.owner);
      const Records* const run_records = run ? &*run : nullptr;
      take_list(*driver, *driver, "containers.json", run_records);
      take_list(*driver, *driver, "volatile-containers.json", run_records);
      if (run) take_list(*run, *driver, "volatile-containers.json", run_records);
    }
  }

 private:
  void take_list(const Records& where, const Records& driver, const std::string& file, const Records* run) {
    const auto text = where.read(file);
    if (!text && text.error().kind == ErrorKind::absent) return;
    auto containers = text ? parse_storage_containers(*text) : std::unexpected(text.error());
    if (!containers) return scan_.note(kSubject, containers.error().message());
    for (Container& container : *containers)
      if (scan_.wants(container.name, container.id) && seen_.insert(container.id).second)
        take(std::move(container), driver, run);
  }

  void take(Container container, const Records& driver, const Records* run) {
    const auto text = driver.read(container.id + "/userdata/config.json");
    if (!text && text.error().kind == ErrorKind::absent) return;  // never started
    const auto spec = text ? parse_oci_spec(*text) : std::unexpected(text.error());
    if (!spec)
      return scan_.note(kSubject, fmt::format("the record of {} cannot be used: {}",
                                              container.id.substr(0, 12), spec.error().message()));
    if (spec->annotation("io.container.manager") == "cri-o") return;  // shares the storage; scan_crio's
    auto cgroup = oci_cgroup_path(spec->cgroups_path);
    if (!cgroup) return;  // --cgroups=disabled
    if (!cgroup->starts_with(store_.cgroup_base + "/")) cgroup->insert(0, store_.cgroup_base);
    if (!scan_.has_cgroup(*cgroup)) return;
    container.runtime = Runtime::podman;
    container.cgroup = std::move(*cgroup);
    // A user could write any pid there.
    if (run != nullptr && store_.owner == Records::Owner::root)
      if (const auto pid = run->read(container.id + "/userdata/pidfile"))
        if (const auto number = parse_u64(trim(*pid)); number && *number > 0 && *number < (1U << 30))
          container.pid = Pid(static_cast<std::int32_t>(*number));
    scan_.found.push_back(std::move(container));
  }

  Scan& scan_;
  Store store_;
  std::set<std::string> seen_;
};

Store root_store(const HostPaths& paths) {
  Store store{.graph = "/var/lib/containers/storage", .run = "/run/containers/storage"};
  const auto etc = Records::open(paths, "/etc/containers");
  const auto conf = etc ? etc->read("storage.conf") : std::unexpected(etc.error());
  if (!conf) return store;
  if (std::string graph = toml_string(*conf, "graphroot"); graph.starts_with('/'))
    store.graph = std::move(graph);
  if (std::string run = toml_string(*conf, "runroot"); run.starts_with('/')) store.run = std::move(run);
  return store;
}

/// The stores of users who have a systemd user manager, which is what keeps rootless containers apart.
std::vector<Store> user_stores(const Scan& scan) {
  std::vector<Store> stores;
  std::string passwd;
  for (const std::string& name : scan.children("/user.slice")) {
    if (!name.starts_with("user-") || !name.ends_with(".slice")) continue;
    const auto uid = parse_u64(std::string_view(name).substr(5, name.size() - 11));
    if (!uid) continue;
    std::string base = fmt::format("/user.slice/{}/user@{}.service", name, *uid);
    if (!scan.has_cgroup(base)) continue;
    if (passwd.empty())
      if (const auto etc = Records::open(scan.paths, "/etc")) passwd = etc->read("passwd").value_or("");
    const std::string home = home_of(passwd, *uid);
    if (*uid == 0 || !home.starts_with('/')) continue;
    stores.push_back({.graph = home + "/.local/share/containers/storage",
                      .run = fmt::format("/run/user/{}/containers", *uid),
                      .cgroup_base = std::move(base),
                      .owner = Records::Owner::user});
  }
  return stores;
}

/// Labels are in Podman's database only; its API service, where it runs, tells them.
void add_labels(Scan& scan, std::size_t first) {
  if (first == scan.found.size()) return;
  auto client = docker::Client::connect(
      {.socket = scan.paths.host(docker::kPodmanSocket), .timeout = std::chrono::seconds(5)});
  const auto list = client ? client->list() : std::unexpected(client.error());
  if (!list)
    return scan.note(
        kSubject,
        fmt::format("its labels are not known: its API does not answer ({}); systemctl start podman.socket",
                    list.error().message()));
  for (const Container& known : *list)
    for (std::size_t i = first; i < scan.found.size(); ++i)
      if (Container& container = scan.found[i]; container.id == known.id) {
        container.labels = known.labels;
        docker::take_known_labels(container);
      }
}

}  // namespace

void scan_podman(Scan& scan) {
  const std::size_t first = scan.found.size();
  StoreScan(scan, root_store(scan.paths)).run();
  if (scan.labels == Scan::Labels::needed) add_labels(scan, first);
  for (Store& store : user_stores(scan)) StoreScan(scan, std::move(store)).run();
}

}  // namespace weir::container
