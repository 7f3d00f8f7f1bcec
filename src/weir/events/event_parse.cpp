// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "weir/base/json.h"
#include "weir/events/event_json.h"

namespace weir::events {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;
constexpr std::array<std::string_view, 7> kNoDetails = {"schema", "time",  "time_ns",  "event",
                                                        "state",  "scope", "container"};

Error bad(std::string_view what) { return make_error(ErrorKind::invalid, "event", what); }

Subject subject_of(const Json& json) {
  Subject subject;
  Container& c = subject.container;
  c.name = string_member(json, "name");
  c.runtime = parse_runtime(string_member(json, "runtime")).value_or(Runtime::none);
  c.cgroup = string_member(json, "cgroup");
  c.id = string_member(json, "id");
  c.image = string_member(json, "image");
  c.k8s_namespace = string_member(json, "k8s_namespace");
  c.k8s_pod = string_member(json, "k8s_pod");
  c.k8s_container = string_member(json, "k8s_container");
  c.compose_project = string_member(json, "compose_project");
  c.compose_service = string_member(json, "compose_service");
  if (const Json* id = member(json, "cgroup_id"); id != nullptr && id->is_number_unsigned())
    subject.cgroup_id = CgroupId(id->get<std::uint64_t>());
  return subject;
}

}  // namespace

Result<Event> parse_event_json(std::string_view line) {
  WEIR_TRY(const Json json, parse_json(line, "event", kLongestLine));
  if (!json.is_object()) return std::unexpected(bad("is no JSON object"));
  Event event;
  const auto kind = parse_event_kind(string_member(json, "event"));
  if (!kind) return std::unexpected(bad("is of no kind that is known"));
  event.kind = *kind;
  const Json* time = member(json, "time_ns");
  if (time == nullptr || !time->is_number_integer()) return std::unexpected(bad("has no time"));
  event.time = std::chrono::nanoseconds(time->get<std::int64_t>());
  const std::string state = string_member(json, "state");
  if (state == "begin") event.state = EventState::begin;
  if (state == "end") event.state = EventState::end;
  if (const Json* container = member(json, "container"); container != nullptr && container->is_object())
    event.subject = subject_of(*container);
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(kNoDetails, name) != kNoDetails.end()) continue;
    if (value.is_number_integer())
      event.details.emplace_back(name, value.get<std::int64_t>());
    else if (value.is_number())
      event.details.emplace_back(name, value.get<double>());
    else if (value.is_string())
      event.details.emplace_back(name, value.get<std::string>());
  }
  return event;
}

std::optional<std::uint64_t> parse_lost(std::string_view line) {
  const auto json = parse_json(line, "event", kLongestLine);
  if (!json || string_member(*json, "event") != "lost") return std::nullopt;
  std::uint64_t lost = 0;
  for (const char* name : {"lines", "frames"})
    if (const Json* count = member(*json, name); count != nullptr && count->is_number_unsigned())
      lost += count->get<std::uint64_t>();
  return lost;
}

}  // namespace weir::events
