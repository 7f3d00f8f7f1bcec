// SPDX-License-Identifier: MIT
#include "weir/events/event_json.h"

#include "weir/base/json.h"
#include "weir/base/text.h"

namespace weir::events {

std::string event_json(const Event& event) {
  Json json = {{"schema", 1},
               {"time", format_utc(event.time)},
               {"time_ns", event.time.count()},
               {"event", std::string(to_string(event.kind))}};
  if (event.state != EventState::once) json["state"] = std::string(to_string(event.state));
  json["scope"] = event.subject ? "container" : "host";
  if (event.subject) {
    const Container& c = event.subject->container;
    Json container = {{"name", c.name}, {"runtime", std::string(to_string(c.runtime))}, {"cgroup", c.cgroup}};
    if (event.subject->cgroup_id.count() != 0) container["cgroup_id"] = event.subject->cgroup_id.count();
    if (!c.id.empty()) container["id"] = c.id;
    if (!c.image.empty()) container["image"] = c.image;
    if (!c.k8s_pod.empty()) {
      container["k8s_namespace"] = c.k8s_namespace;
      container["k8s_pod"] = c.k8s_pod;
      if (!c.k8s_container.empty()) container["k8s_container"] = c.k8s_container;
    }
    if (!c.compose_project.empty()) container["compose_project"] = c.compose_project;
    if (!c.compose_service.empty()) container["compose_service"] = c.compose_service;
    json["container"] = std::move(container);
  }
  for (const auto& [name, value] : event.details)
    std::visit([&](const auto& each) { json[name] = each; }, value);
  return dump_json(json, -1);
}

}  // namespace weir::events
