// SPDX-License-Identifier: MIT
#include "weir/cli/guard_text.h"

#include <fmt/format.h>

#include "weir/base/escape.h"
#include "weir/cli/clock_text.h"
#include "weir/cli/outcome.h"

namespace weir::cli {
namespace {

using limits::WatchEvent;
using Kind = WatchEvent::Kind;

std::string who(const std::optional<limits::Writer>& by) {
  if (!by) return "someone";
  return fmt::format("{} (pid {}{}{})", by->comm, by->pid, by->cgroup.empty() ? "" : ", ", by->cgroup);
}

std::string what(const WatchEvent& event) {
  const std::string wanted = value_text(event.wanted), found = value_text(event.found);
  switch (event.kind) {
    case Kind::taken_up:
      return fmt::format("{}, looked after", wanted);
    case Kind::yielded:
      return fmt::format("{} -> {} by {}; left so", wanted, found, who(event.by));
    case Kind::reapplied:
      return fmt::format("{} by {}; {} again", found, who(event.by), wanted);
    case Kind::gave_up:
      return fmt::format("{} by {} again and again; left so", found, who(event.by));
    case Kind::adopted:
      return fmt::format("{}, changed by weir; looked after", wanted);
    case Kind::released:
      return fmt::format("{}, taken back by weir; no longer looked after", found);
    case Kind::not_held:
      return fmt::format("{} cannot be set now: {}", wanted, event.error ? event.error->message() : "");
    case Kind::ended:
      return "the container ended";
  }
  return {};
}

}  // namespace

std::string guard_text(const WatchEvent& event) {
  const std::string_view file = cgroup::info(event.wanted.knob).file;
  return terminal_safe(fmt::format("{} {}: {}{}{} {}", clock_text(event.time), event.container.name, file,
                                   event.wanted.device.empty() ? "" : " ", event.wanted.device, what(event)));
}

Json guard_json(const WatchEvent& event) {
  Json json = {{"schema", 1},
               {"event", std::string(to_string(event.kind))},
               {"time_ns", event.time.count()},
               {"name", event.container.name},
               {"cgroup", event.container.cgroup},
               {"knob", std::string(cgroup::info(event.wanted.knob).file)}};
  if (!event.wanted.device.empty()) json["device"] = event.wanted.device;
  json["wanted"] = event.wanted.text;
  json["found"] = event.found.text;
  if (event.by)
    json["by"] = {{"pid", event.by->pid},
                  {"uid", event.by->uid},
                  {"comm", event.by->comm},
                  {"cgroup", event.by->cgroup}};
  if (event.after) json["after_ns"] = event.after->count();
  if (event.error) json["why"] = event.error->message();
  return json;
}

}  // namespace weir::cli
