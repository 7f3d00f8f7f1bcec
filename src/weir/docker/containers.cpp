// SPDX-License-Identifier: MIT
#include "weir/docker/containers.h"

#include <algorithm>

#include "weir/base/json.h"

namespace weir::docker {
namespace {

/// "/web" of ["/other/alias", "/web"]: a name with a second slash is an old-style link's alias.
std::string own_name(const Json& entry) {
  const Json* names = member(entry, "Names");
  if (names == nullptr || !names->is_array()) return {};
  for (const Json& each : *names) {
    if (!each.is_string()) continue;
    std::string name = each.get<std::string>();
    if (name.starts_with('/')) name.erase(0, 1);
    if (!name.empty() && name.find('/') == std::string::npos) return name;
  }
  return {};
}

}  // namespace

bool is_full_id(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void take_known_labels(Container& container) {
  const auto take = [&](const char* label, std::string& into) {
    if (const auto found = container.labels.find(label); found != container.labels.end())
      into = found->second;
  };
  take("com.docker.compose.project", container.compose_project);
  take("com.docker.compose.service", container.compose_service);
  take("io.kubernetes.pod.namespace", container.k8s_namespace);
  take("io.kubernetes.pod.name", container.k8s_pod);
  take("io.kubernetes.container.name", container.k8s_container);
}

Result<std::vector<Container>> containers_from_json(std::string_view body) {
  WEIR_TRY(const Json list, parse_json(body, "docker"));
  if (!list.is_array())
    return std::unexpected(
        make_error(ErrorKind::failed, "docker", "its list of containers is not a JSON array"));
  std::vector<Container> containers;
  for (const Json& entry : list) {
    Container container;
    container.id = string_member(entry, "Id");
    if (!is_full_id(container.id)) continue;
    container.runtime = Runtime::docker;
    container.name = own_name(entry);
    if (container.name.empty()) container.name = container.id.substr(0, 12);
    container.image = string_member(entry, "Image");
    if (const Json* labels = member(entry, "Labels"); labels != nullptr && labels->is_object())
      for (const auto& [key, value] : labels->items())
        if (value.is_string()) container.labels.emplace(key, value.get<std::string>());
    take_known_labels(container);
    containers.push_back(std::move(container));
  }
  return containers;
}

}  // namespace weir::docker
