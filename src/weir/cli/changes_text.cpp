// SPDX-License-Identifier: MIT
#include "weir/cli/changes_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "weir/base/text.h"
#include "weir/cli/outcome.h"
#include "weir/cli/table.h"
#include "weir/limits/caller.h"

namespace weir::cli {
namespace {

using limits::Listed;
using limits::Standing;

std::tm local(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  std::tm tm{};
  const std::time_t clock = seconds;
  ::localtime_r(&clock, &tm);
  return tm;
}

/// A value as short as it can be told: the usual period and directions without a limit go without saying.
std::string short_value(const cgroup::Setting& setting) {
  const std::string text = value_text(setting);
  if (text.ends_with("/100000)")) return text.substr(0, text.find(" ("));
  if (setting.knob != cgroup::Knob::io_max) return text;
  std::vector<std::string_view> limits = split(text, ' ');
  std::erase_if(limits, [](std::string_view limit) { return limit.ends_with("=max"); });
  return limits.empty() ? "max" : fmt::format("{}", fmt::join(limits, " "));
}

Tone tone(Standing standing) {
  switch (standing) {
    case Standing::in_force:
      return Tone::good;
    case Standing::changed:
    case Standing::failed:
      return Tone::warn;
    default:
      return Tone::dim;
  }
}

std::string state_text(const Listed& listed) {
  const std::string state(to_string(listed.standing));
  if (listed.standing == Standing::changed) {
    cgroup::Setting now = listed.change.after;
    now.text = listed.now;
    return fmt::format("{}: now {}", state, short_value(now));
  }
  if (listed.standing == Standing::in_force && listed.change.restore_at.count() > 0)
    return fmt::format("{} until {:%H:%M:%S}", state, local(listed.change.restore_at));
  return state;
}

}  // namespace

std::string changes_text(const std::vector<Listed>& changes, std::size_t columns, bool colour) {
  if (changes.empty()) return "no changes since the host booted\n";
  Table table({{.title = "TIME"},
               {.title = "TARGET", .may_shrink = true},
               {.title = "KNOB"},
               {.title = "OLD", .may_shrink = true},
               {.title = "NEW", .may_shrink = true},
               {.title = "STATE", .may_shrink = true},
               {.title = "WHO", .priority = 2},
               {.title = "REASON", .priority = 3, .may_shrink = true}});
  for (const Listed& listed : changes) {
    const limits::Change& change = listed.change;
    table.add({{fmt::format("{:%m-%d %H:%M:%S}", local(change.time))},
               {change.name.empty() ? change.target : change.name},
               {fmt::format("{}{}{}", cgroup::info(change.after.knob).file,
                            change.after.device.empty() ? "" : " ", change.after.device)},
               {short_value(change.before)},
               {short_value(change.after)},
               {state_text(listed), tone(listed.standing)},
               {limits::describe(change.who)},
               {change.reason}});
  }
  return table.render(columns, colour);
}

}  // namespace weir::cli
