// SPDX-License-Identifier: MIT
// CRI-O without its API: the OCI config.json that it keeps for every running container below
// /run/containers/storage, which it shares with Podman; the annotations tell whose a container is.
#include <fmt/format.h>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/container/anchor.h"
#include "weir/container/k8s.h"
#include "weir/container/record.h"
#include "weir/container/records.h"
#include "weir/container/scan.h"
#include "weir/docker/containers.h"

namespace weir::container {
namespace {

constexpr std::string_view kSubject = "cri-o";

void take_container(Scan& scan, const Records& driver, const std::string& id) {
  const auto text = driver.read(id + "/userdata/config.json");
  if (!text && text.error().kind == ErrorKind::absent) return;
  // Podman's are the most here: look before parsing.
  if (text && text->find("io.kubernetes.cri-o.") == std::string::npos) return;
  if (text && !scan.may_want(*text, id)) return;
  const auto spec = text ? parse_oci_spec(*text) : std::unexpected(text.error());
  if (!spec)
    return scan.note(kSubject, fmt::format("the record of {} cannot be used: {}", id.substr(0, 12),
                                           spec.error().message()));
  Container container;
  container.id = id;
  container.runtime = Runtime::crio;
  if (take_cri_annotations(*spec, kCrioWords, container) != CriType::container ||
      !scan.wants(container.name, id))
    return;
  auto cgroup = oci_cgroup_path(spec->cgroups_path);
  if (!cgroup || !scan.has_cgroup(*cgroup)) return;
  container.cgroup = std::move(*cgroup);
  if (const auto labels = parse_json(spec->annotation("io.kubernetes.cri-o.Labels"), "labels");
      labels && labels->is_object())
    for (const auto& [key, value] : labels->items())
      if (value.is_string()) container.labels.emplace(key, value.get<std::string>());
  if (const auto pid = driver.read(id + "/userdata/pidfile"))
    if (const auto number = parse_u64(trim(*pid)); number && *number > 0 && *number < (1U << 30))
      container.pid = Pid(static_cast<std::int32_t>(*number));
  scan.found.push_back(std::move(container));
}

}  // namespace

void scan_crio(Scan& scan) {
  const auto storage = Records::open(scan.paths, "/run/containers/storage");
  const auto drivers = storage ? storage->names() : std::unexpected(storage.error());
  if (!drivers) {
    if (drivers.error().kind != ErrorKind::absent)
      scan.note(kSubject, drivers.error().message() + ", so its containers were not searched");
    return;
  }
  for (const std::string& name : *drivers) {
    if (!name.ends_with("-containers")) continue;
    const auto driver = storage->below(name);
    const auto ids = driver ? driver->names() : std::unexpected(driver.error());
    if (!ids) continue;
    for (const std::string& id : *ids)
      if (docker::is_full_id(id)) take_container(scan, *driver, id);
  }
}

}  // namespace weir::container
