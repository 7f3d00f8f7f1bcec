// SPDX-License-Identifier: MIT
#include "weir/events/event_json.h"

#include <fmt/format.h>

#include <ctime>

#include "weir/base/json.h"

namespace weir::events {
namespace {

/// RFC 3339 in UTC, with microseconds.
std::string utc(std::chrono::nanoseconds since_epoch) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t time = seconds.count();
  struct tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (since_epoch - seconds).count() / 1000);
}

}  // namespace

std::string event_json(const Event& event) {
  Json json = {{"schema", 1},
               {"time", utc(event.time)},
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
    }
    if (!c.compose_project.empty()) container["compose_project"] = c.compose_project;
    json["container"] = std::move(container);
  }
  for (const auto& [name, value] : event.details)
    std::visit([&](const auto& each) { json[name] = each; }, value);
  return dump_json(json, -1);
}

}  // namespace weir::events
