// SPDX-License-Identifier: MIT
// Any bytes as any of the runtimes' records, and as a cgroupsPath: an Error or usable values, never a crash.
#include <cstdlib>

#include "weir/cgroup/dir.h"
#include "weir/container/anchor.h"
#include "weir/container/record.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace weir::container;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string id(64, 'a');
  if (const auto record = parse_docker_record(text, id);
      record && (record->container.id != id || record->container.name.empty()))
    std::abort();
  static_cast<void>(parse_docker_cgroup_parent(text));
  static_cast<void>(parse_docker_daemon(text));
  static_cast<void>(toml_string(text, "graphroot"));
  static_cast<void>(home_of(text, 1000));
  if (const auto containers = parse_storage_containers(text))
    for (const weir::Container& container : *containers)
      if (container.id.size() != 64 || container.name.empty()) std::abort();
  const auto spec = parse_oci_spec(text);
  for (const std::string_view path : {text, spec ? std::string_view(spec->cgroups_path) : std::string_view()})
    if (const auto cgroup = oci_cgroup_path(path);
        cgroup && (*cgroup == "/" || !weir::cgroup::check_path(*cgroup)))
      std::abort();
  return 0;
}
