// SPDX-License-Identifier: MIT
#include "weir/cli/event_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/clock_text.h"

namespace weir::cli {
namespace {

std::string detail(const Event& event, std::string_view name) {
  for (const auto& [key, value] : event.details)
    if (key == name)
      return std::visit(
          [](const auto& each) {
            if constexpr (std::is_same_v<std::decay_t<decltype(each)>, double>)
              return fmt::format("{:.0f}", each);
            else
              return fmt::format("{}", each);
          },
          value);
  return "?";
}

/// " (12.0 s, 40 % at worst)" of what is over.
std::string over(const Event& event, std::string_view worst) {
  const auto lasted = parse_u64(detail(event, "lasted_ms"));
  return fmt::format(
      " no more ({}, {})",
      format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(lasted.value_or(0)))), worst);
}

bool has(const Event& event, std::string_view name) {
  return std::ranges::any_of(event.details, [&](const auto& each) { return each.first == name; });
}

std::string share(const Event& event) {
  if (has(event, "at_least_percent"))
    return fmt::format(": {} % of the time or more", detail(event, "at_least_percent"));
  return fmt::format(": {} % of the time", detail(event, "percent"));
}

std::string kill_text(const Event& event) {
  if (!has(event, "victim_comm"))
    return fmt::format("killed for want of memory ({} of it)", detail(event, "kills"));
  const std::string limit = detail(event, "limit_of");
  return fmt::format("{} (pid {}) killed for want of memory, {}", detail(event, "victim_comm"),
                     detail(event, "victim_pid"),
                     limit == "container" ? "by its own memory.max"
                     : limit == "host"    ? "the host had none left"
                                          : "by the limit of another cgroup");
}

std::string limit_text(const Event& event) {
  const auto shown = [&](std::string_view name) {
    const std::string text = detail(event, name);
    return text.empty() ? std::string("none") : text;
  };
  std::string text = detail(event, "knob");
  if (has(event, "device")) text += " " + detail(event, "device");
  text += fmt::format(" {} -> {}", shown("old"), shown("new"));
  if (has(event, "by_weir")) return text + " by weir " + detail(event, "by_weir");
  return has(event, "by_comm")
             ? fmt::format("{} by {} (pid {})", text, detail(event, "by_comm"), detail(event, "by_pid"))
             : text;
}

double number(const Event& event, std::string_view name) {
  for (const auto& [key, value] : event.details)
    if (const auto* number = std::get_if<double>(&value); key == name && number != nullptr) return *number;
  return 0;
}

/// "cpu 0.5", "memory 128M", "io.write 4M/s": a soft limit of control's.
std::string amount(const Event& event, std::string_view name) {
  if (detail(event, name) == "max") return "max";
  const double value = number(event, name);
  const std::string resource = detail(event, "resource");
  if (resource == "cpu") return fmt::format("{:.3g}", value);
  const std::string bytes = format_bytes(Bytes(value < 0 ? 0 : static_cast<std::uint64_t>(value)));
  return resource == "memory" ? bytes : bytes + "/s";
}

std::string held_text(const Event& event) {
  const double held = number(event, "held");
  return held < 0.005 ? "it was just hit" : fmt::format("held back for {:.0f} % of the time", held * 100);
}

std::string why_refused(const Event& event) {
  const std::string cause = detail(event, "cause");
  if (cause == "limit_above") return fmt::format("a limit above it holds ({})", amount(event, "limit_above"));
  if (cause == "contention")
    return fmt::format("{} the host: it waits for {:.0f} % of the time",
                       has(event, "rival") ? detail(event, "rival") + " and others use" : "others use",
                       number(event, "contention") * 100);
  return "nothing is left of the host";
}

/// What eases a limit of CPU that stays as it is; empty: nothing does.
std::string eased_text(const Event& event) {
  const double burst = number(event, "burst"), to_burst = number(event, "to_burst");
  const double weight = number(event, "weight"), to_weight = number(event, "to_weight");
  if (!has(event, "to_burst") || number(event, "limit") != number(event, "to")) return {};
  if (to_weight != weight)
    return fmt::format("cpu weight {} -> {}, {}", weight, to_weight,
                       to_weight > weight ? fmt::format("waits for {:.0f} % of the time because of others",
                                                        number(event, "contention") * 100)
                                          : "others leave enough");
  if (to_burst == burst) return {};
  return fmt::format("cpu may burst by {:.3g} -> {:.3g} above its soft limit {:.3g}, {}", burst, to_burst,
                     number(event, "to"), to_burst > burst ? held_text(event) : "it does not need to");
}

std::string control_text(const Event& event) {
  const std::string soft = detail(event, "resource") + " soft limit";
  const bool changed =
      event.kind == EventKind::soft_limit_raised || event.kind == EventKind::soft_limit_lowered;
  if (std::string eased = changed ? eased_text(event) : std::string(); !eased.empty()) return eased;
  switch (event.kind) {
    case EventKind::soft_limit_raised:
      return fmt::format("{} {} -> {}, {}", soft, amount(event, "limit"), amount(event, "to"),
                         held_text(event));
    case EventKind::soft_limit_lowered:
      return fmt::format("{} {} -> {}, uses {}", soft, amount(event, "limit"), amount(event, "to"),
                         amount(event, "use"));
    case EventKind::hard_limit_reached:
      return fmt::format("{} is at its hard limit {}, {}; not raised", soft, amount(event, "hard"),
                         held_text(event));
    default:
      return fmt::format("{} stays {}: {}", soft, amount(event, "limit"), why_refused(event));
  }
}

/// What a model did, and what came of it.
std::string ml_text(const Event& event) {
  const std::string soft = detail(event, "resource") + " soft limit";
  switch (event.kind) {
    case EventKind::ml_adjustment:
      if (detail(event, "mode") == "shadow")
        return fmt::format("{} {}: the model would have set {}, step set {}", soft, amount(event, "limit"),
                           amount(event, "suggested"), amount(event, "to"));
      return fmt::format("{} {} -> {} by the model, step would have set {}", soft, amount(event, "limit"),
                         amount(event, "to"), amount(event, "step_would"));
    case EventKind::ml_effective:
      return fmt::format("{} {} that the model suggested was enough", soft, amount(event, "suggested"));
    case EventKind::ml_no_improvement:
      return fmt::format("{} {} that the model suggested was not enough: {} was needed", soft,
                         amount(event, "suggested"), amount(event, "needed"));
    default:
      return fmt::format("the model is not asked any more: {}", detail(event, "reason"));
  }
}

std::string what(const Event& event) {
  const bool ends = event.state == EventState::end;
  const std::string worst = detail(event, "worst_percent") + " % at worst", percent = share(event),
                    times = detail(event, "times");
  switch (event.kind) {
    case EventKind::psi_spike: {
      const std::string waits = "tasks wait for " + detail(event, "resource");
      return waits + (ends ? over(event, worst) : percent);
    }
    case EventKind::cpu_throttled:
      if (ends) return "throttled" + over(event, worst);
      if (has(event, "held_ms"))
        return fmt::format("throttled by its CPU limit, for {} of {} ms", detail(event, "held_ms"),
                           detail(event, "period_ms"));
      return fmt::format("throttled by its CPU limit in {} % of its periods", detail(event, "percent"));
    case EventKind::memory_high:
      return ends ? "over memory.high" + over(event, times + " times") : "over memory.high";
    case EventKind::memory_max:
      return ends ? "at memory.max" + over(event, times + " times") : "at memory.max";
    case EventKind::oom_kill:
      return kill_text(event);
    case EventKind::io_stall:
      return ends ? "all tasks wait for IO" + over(event, worst) : "all tasks wait for IO" + percent;
    case EventKind::limit_changed:
      return limit_text(event);
    case EventKind::container_started:
      return "started";
    case EventKind::container_ended:
      return "ended";
    case EventKind::soft_limit_raised:
    case EventKind::soft_limit_lowered:
    case EventKind::hard_limit_reached:
    case EventKind::raise_refused:
      return control_text(event);
    case EventKind::ml_adjustment:
    case EventKind::ml_effective:
    case EventKind::ml_no_improvement:
    case EventKind::ml_fallback:
      return ml_text(event);
  }
  return {};
}

}  // namespace

std::string event_sentence(const Event& event) {
  return terminal_safe(
      fmt::format("{}: {}", event.subject ? event.subject->container.name : "host", what(event)));
}

std::string event_text(const Event& event) {
  return fmt::format("{} {}", clock_text(event.time), event_sentence(event));
}

}  // namespace weir::cli
