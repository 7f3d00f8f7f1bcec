// SPDX-License-Identifier: MIT
#include "weir/container/record.h"

#include <limits>

#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/docker/containers.h"

namespace weir::container {
namespace {

Result<Json> parse_object(std::string_view text, std::string_view name) {
  WEIR_TRY(Json json, parse_json(text, name));
  if (!json.is_object()) return std::unexpected(make_error(ErrorKind::invalid, name, "is not a JSON object"));
  return json;
}

std::map<std::string, std::string> string_map(const Json* object) {
  std::map<std::string, std::string> map;
  if (object == nullptr || !object->is_object()) return map;
  for (const auto& [key, value] : object->items())
    if (value.is_string()) map.emplace(key, value.get<std::string>());
  return map;
}

std::optional<Pid> pid_of(const Json* number) {
  if (number == nullptr || !number->is_number_unsigned()) return std::nullopt;
  const auto value = number->get<std::uint64_t>();
  if (value == 0 || value > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    return std::nullopt;
  return Pid(static_cast<std::int32_t>(value));
}

}  // namespace

Result<DockerRecord> parse_docker_record(std::string_view text, std::string_view id) {
  WEIR_TRY(const Json json, parse_object(text, "config.v2.json"));
  if (string_member(json, "ID") != id)
    return std::unexpected(make_error(ErrorKind::invalid, "config.v2.json", "is about another container"));
  DockerRecord record;
  Container& container = record.container;
  container.id = id;
  container.runtime = Runtime::docker;
  container.name = string_member(json, "Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  if (container.name.empty()) container.name = container.id.substr(0, 12);
  if (const Json* config = member(json, "Config")) {
    container.image = string_member(*config, "Image");
    container.labels = string_map(member(*config, "Labels"));
  }
  if (const Json* state = member(json, "State")) {
    const Json* running = member(*state, "Running");
    record.running = running != nullptr && running->is_boolean() && running->get<bool>();
    if (record.running) container.pid = pid_of(member(*state, "Pid"));
  }
  docker::take_known_labels(container);
  return record;
}

Result<std::string> parse_docker_cgroup_parent(std::string_view text) {
  WEIR_TRY(const Json json, parse_object(text, "hostconfig.json"));
  return string_member(json, "CgroupParent");
}

Result<DockerDaemon> parse_docker_daemon(std::string_view text) {
  WEIR_TRY(const Json json, parse_object(text, "daemon.json"));
  DockerDaemon daemon{string_member(json, "data-root"), string_member(json, "cgroup-parent")};
  if (daemon.data_root.empty())
    daemon.data_root = string_member(json, "graph");  // its name until Docker 17.05
  return daemon;
}

Result<std::vector<Container>> parse_storage_containers(std::string_view text) {
  WEIR_TRY(const Json json, parse_json(text, "containers.json"));
  if (!json.is_array())
    return std::unexpected(make_error(ErrorKind::invalid, "containers.json", "is not a JSON array"));
  std::vector<Container> containers;
  for (const Json& entry : json) {
    Container container;
    container.id = string_member(entry, "id");
    if (!docker::is_full_id(container.id)) continue;
    if (const Json* names = member(entry, "names");
        names != nullptr && names->is_array() && !names->empty() && names->front().is_string())
      container.name = names->front().get<std::string>();
    if (container.name.empty()) container.name = container.id.substr(0, 12);
    // A JSON text inside of the JSON.
    if (const auto metadata = parse_json(string_member(entry, "metadata"), "metadata"))
      container.image = string_member(*metadata, "image-name");
    containers.push_back(std::move(container));
  }
  return containers;
}

std::string OciSpec::annotation(const std::string& key) const {
  const auto found = annotations.find(key);
  return found == annotations.end() ? std::string() : found->second;
}

Result<OciSpec> parse_oci_spec(std::string_view text) {
  WEIR_TRY(const Json json, parse_object(text, "config.json"));
  OciSpec spec;
  if (const Json* linux_part = member(json, "linux"))
    spec.cgroups_path = string_member(*linux_part, "cgroupsPath");
  spec.annotations = string_map(member(json, "annotations"));
  return spec;
}

std::string toml_string(std::string_view toml, std::string_view key) {
  for (const std::string_view line : split(toml, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos || trim(line.substr(0, equals)) != key) continue;
    const std::string_view value = trim(line.substr(equals + 1));
    if (value.size() < 2 || value.front() != '"') return {};
    const std::size_t end = value.find('"', 1);
    return end == std::string_view::npos ? std::string() : std::string(value.substr(1, end - 1));
  }
  return {};
}

std::string home_of(std::string_view passwd, std::uint64_t uid) {
  for (const std::string_view line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 6 && parse_u64(fields[2]) == uid) return std::string(fields[5]);
  }
  return {};
}

}  // namespace weir::container
