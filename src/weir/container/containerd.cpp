// SPDX-License-Identifier: MIT
// containerd without its API: the OCI bundle of every running task. Kubernetes' containers are told by the
// CRI plugin's annotations; anything else (ctr, nerdctl) is called by its id. Namespace "moby" is Docker's
// and listed there.
#include <fmt/format.h>

#include "weir/base/text.h"
#include "weir/container/anchor.h"
#include "weir/container/k8s.h"
#include "weir/container/record.h"
#include "weir/container/records.h"
#include "weir/container/scan.h"

namespace weir::container {
namespace {

constexpr std::string_view kSubject = "containerd";
constexpr std::string_view kTaskDirectories[] = {
    "/run/containerd/io.containerd.runtime.v2.task",
    "/run/k3s/containerd/io.containerd.runtime.v2.task",
};

void take_task(Scan& scan, const Records& tasks, const std::string& id) {
  const auto text = tasks.read(id + "/config.json");
  if (!text && text.error().kind == ErrorKind::absent) return;  // it has just ended
  if (text && !scan.may_want(*text, id)) return;
  const auto spec = text ? parse_oci_spec(*text) : std::unexpected(text.error());
  if (!spec)
    return scan.note(kSubject,
                     fmt::format("the record of {} cannot be used: {}", id, spec.error().message()));
  Container container;
  container.id = id;
  container.name = id;
  container.runtime = Runtime::containerd;
  if (take_cri_annotations(*spec, kContainerdWords, container) == CriType::sandbox) return;
  if (const std::string name = spec->annotation("nerdctl/name"); !name.empty()) container.name = name;
  if (!scan.wants(container.name, id)) return;
  auto cgroup = oci_cgroup_path(spec->cgroups_path);
  if (!cgroup || !scan.has_cgroup(*cgroup)) return;
  container.cgroup = std::move(*cgroup);
  if (const auto pid = tasks.read(id + "/init.pid"))
    if (const auto number = parse_u64(trim(*pid)); number && *number > 0 && *number < (1U << 30))
      container.pid = Pid(static_cast<std::int32_t>(*number));
  scan.found.push_back(std::move(container));
}

void scan_directory(Scan& scan, std::string_view directory) {
  const auto root = Records::open(scan.paths, directory);
  const auto namespaces = root ? root->names() : std::unexpected(root.error());
  if (!namespaces) {
    if (namespaces.error().kind != ErrorKind::absent)
      scan.note(kSubject, namespaces.error().message() + ", so its containers were not searched");
    return;
  }
  for (const std::string& name : *namespaces) {
    if (name == "moby") continue;
    const auto tasks = root->below(name);
    const auto ids = tasks ? tasks->names() : std::unexpected(tasks.error());
    if (!ids) {
      if (ids.error().kind != ErrorKind::absent) scan.note(kSubject, ids.error().message());
      continue;
    }
    for (const std::string& id : *ids) take_task(scan, *tasks, id);
  }
}

}  // namespace

void scan_containerd(Scan& scan) {
  for (const std::string_view directory : kTaskDirectories) scan_directory(scan, directory);
}

}  // namespace weir::container
