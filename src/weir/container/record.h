// SPDX-License-Identifier: MIT
#pragma once
// What runtimes write about a container, as values. Pure; the text is untrusted: a missing or mistyped member
// is empty, text that is no JSON object at all is an error.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/container.h"

namespace weir::container {

/// Docker's containers/ID/config.v2.json: everything but the cgroup. invalid when it is about another id.
struct DockerRecord {
  Container container;
  bool running = false;
};
Result<DockerRecord> parse_docker_record(std::string_view text, std::string_view id);
/// Docker's containers/ID/hostconfig.json: CgroupParent, "" for the default.
Result<std::string> parse_docker_cgroup_parent(std::string_view text);
/// /etc/docker/daemon.json; members that are not there are empty.
struct DockerDaemon {
  std::string data_root, cgroup_parent;
};
Result<DockerDaemon> parse_docker_daemon(std::string_view text);

/// containers.json of containers/storage (Podman and CRI-O): id, name, image.
Result<std::vector<Container>> parse_storage_containers(std::string_view text);

/// An OCI runtime's config.json.
struct OciSpec {
  std::string cgroups_path;  ///< linux.cgroupsPath
  std::map<std::string, std::string> annotations;
  /// The annotation, or "".
  [[nodiscard]] std::string annotation(const std::string& key) const;
};
Result<OciSpec> parse_oci_spec(std::string_view text);

/// `key = "value"` of TOML such as /etc/containers/storage.conf, "" where it is not set.
std::string toml_string(std::string_view toml, std::string_view key);
/// The home directory of a uid in /etc/passwd, "" where it has none.
std::string home_of(std::string_view passwd, std::uint64_t uid);

}  // namespace weir::container
