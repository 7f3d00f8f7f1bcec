// SPDX-License-Identifier: MIT
#include "weir/limits/plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "weir/base/text.h"
#include "weir/limits/footprint.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using cgroup::Setting;

constexpr std::string_view kDefaultWeight = "100";

/// The file that says how much of a limited thing is in use; empty where a cut takes nothing away.
std::string_view use_file(Knob knob) {
  switch (knob) {
    case Knob::memory_max:
    case Knob::memory_high:
      return "memory.current";
    case Knob::memory_swap_max:
      return "memory.swap.current";
    case Knob::pids_max:
      return "pids.current";
    default:
      return {};
  }
}

/// Says why a knob's file cannot be opened for writing, and what to do.
Error explain(const cgroup::Dir& dir, Knob knob, Error error) {
  if (error.err == EROFS)
    return std::move(error).with_hint(
        "the cgroup filesystem is mounted read-only here: run weir on the host itself");
  if (error.kind == ErrorKind::refused && ::geteuid() != 0)
    return std::move(error).with_hint("run it as root");
  const cgroup::KnobInfo& info = cgroup::info(knob);
  const auto controllers = dir.read("cgroup.controllers");
  if (error.kind != ErrorKind::absent || info.controller.empty() || !controllers) return error;
  const auto have = words(*controllers);
  if (std::ranges::find(have, info.controller) != have.end())
    return std::move(error).context(fmt::format("this kernel has no {}", info.file));
  const std::string parent = dir.path().substr(0, dir.path().rfind('/'));
  return make_error(
      ErrorKind::absent, dir.path(),
      fmt::format("no {}: the {} controller is off here", info.file, info.controller),
      fmt::format("turn it on: echo +{} > CGROUP_MOUNT{}/cgroup.subtree_control", info.controller, parent));
}

Status status_of(const Error& error) {
  if (error.kind == ErrorKind::gone) return Status::gone;
  return error.kind == ErrorKind::failed ? Status::failed : Status::refused;
}

Outcome stopped(Outcome outcome, Error error) {
  outcome.status = status_of(error);
  outcome.error = std::move(error);
  return outcome;
}

/// The setting that reads and writes the same place, for contradictions: two values for one knob (and
/// device).
Result<void> check_settings(const std::vector<Setting>& settings) {
  std::set<std::pair<Knob, std::string>> seen;
  for (const Setting& setting : settings) {
    if (!seen.emplace(setting.knob, setting.device).second)
      return std::unexpected(
          make_error(ErrorKind::invalid, cgroup::info(setting.knob).file, "is given twice"));
  }
  const bool idle = std::ranges::any_of(
      settings, [](const Setting& s) { return s.knob == Knob::cpu_idle && s.text == "1"; });
  if (idle && seen.contains({Knob::cpu_weight, ""}))
    return std::unexpected(make_error(ErrorKind::invalid, "cpu.weight",
                                      "means nothing together with cpu.idle=1",
                                      "an idle cgroup has the least weight of all; give one of the two"));
  return {};
}

/// Going idle makes the kernel forget cpu.weight (it is 100 again afterwards). Said as a step of its own, it
/// can be undone.
void add_forgotten_weight(const cgroup::Dir& dir, std::vector<Step>& steps, Force force) {
  const auto goes_idle = std::ranges::any_of(steps, [](const Step& s) {
    return s.outcome.status == Status::dry_run && s.wanted.knob == Knob::cpu_idle && s.wanted.text == "1";
  });
  if (!goes_idle) return;
  const Setting weight{.knob = Knob::cpu_weight, .device = {}, .text = std::string(kDefaultWeight)};
  Outcome outcome = look(dir, weight, force);
  if (outcome.status == Status::dry_run) steps.push_back({.wanted = weight, .outcome = std::move(outcome)});
}

/// The settings of all targets that name the same container, together.
Result<std::vector<Wanted>> merge(const std::vector<Wanted>& targets) {
  std::vector<Wanted> merged;
  for (const Wanted& wanted : targets) {
    const auto same = std::ranges::find_if(
        merged, [&](const Wanted& other) { return other.container.cgroup == wanted.container.cgroup; });
    if (same == merged.end()) {
      merged.push_back(wanted);
      continue;
    }
    for (const Setting& setting : wanted.settings) {
      const auto twin = std::ranges::find_if(
          same->settings, [&](const Setting& other) { return same_place(other, setting); });
      if (twin == same->settings.end())
        same->settings.push_back(setting);
      else if (*twin != setting)
        return std::unexpected(
            make_error(ErrorKind::invalid, wanted.container.name,
                       fmt::format("'{}' and '{}' both mean it, and give it different {}", same->target,
                                   wanted.target, cgroup::info(setting.knob).file),
                       "name it once, or give both the same value"));
    }
  }
  for (const Wanted& wanted : merged) WEIR_CHECK(check_settings(wanted.settings));
  return merged;
}

/// A limit as one number; nothing for what has no order (lists, switches, several keys). "max" is the
/// greatest.
std::optional<double> magnitude(const Setting& setting) {
  constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  switch (cgroup::info(setting.knob).shape) {
    case cgroup::Shape::cpu_max: {
      const auto value = cgroup::parse_cpu_max(setting.text);
      if (!value) return std::nullopt;
      const auto cpus = value->cpus();
      return cpus.is_unlimited() ? kUnlimited : cpus.value();
    }
    case cgroup::Shape::bytes:
    case cgroup::Shape::number:
    case cgroup::Shape::micros: {
      if (setting.text == "max") return kUnlimited;
      const auto number = parse_u64(setting.text);
      return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

bool cuts(const Change& change) {
  const auto before = magnitude(change.before);
  const auto after = magnitude(change.after);
  return before && after && *after < *before;
}

PlannedTarget plan_target(const cgroup::Dir& root, const Wanted& wanted, const Request& request) {
  PlannedTarget planned;
  auto dir = open_target(root, wanted.container, request.guarded, request.force);
  for (const Setting& setting : wanted.settings) {
    Outcome outcome{.change = {.before = setting, .after = setting}, .status = Status::refused, .error = {}};
    outcome.change.before.text.clear();
    if (dir)
      outcome = look(**dir, setting, request.force);
    else
      outcome = stopped(std::move(outcome), dir.error());
    planned.steps.push_back({.wanted = setting, .outcome = std::move(outcome)});
  }
  if (dir) {
    add_forgotten_weight(**dir, planned.steps, request.force);
    order_for_kernel(planned.steps, [](const Step& step) -> const Change& { return step.outcome.change; });
    planned.dir = std::move(*dir);
  }
  for (Step& step : planned.steps) {
    Change& change = step.outcome.change;
    change.target = wanted.target;
    change.name = wanted.container.name;
    change.cgroup = wanted.container.cgroup;
    if (planned.dir) change.cgroup_id = planned.dir->id();
  }
  return planned;
}

}  // namespace

std::vector<Outcome> Plan::outcomes() const {
  std::vector<Outcome> all;
  for (const PlannedTarget& target : targets) {
    for (const Step& step : target.steps) all.push_back(step.outcome);
  }
  return all;
}

bool Plan::possible() const {
  return std::ranges::none_of(outcomes(), [](const Outcome& outcome) {
    return outcome.status == Status::refused || outcome.status == Status::failed;
  });
}

bool Plan::has_work() const {
  return std::ranges::any_of(outcomes(),
                             [](const Outcome& outcome) { return outcome.status == Status::dry_run; });
}

bool goes_first(const Change& a, const Change& b) {
  if (a.after.knob == Knob::cpu_max && b.after.knob == Knob::cpu_max_burst) {
    // Raised, the quota makes room for the burst; cut, it has to wait until the burst has shrunk.
    const auto before = cgroup::parse_cpu_max(a.before.text);
    const auto after = cgroup::parse_cpu_max(a.after.text);
    return before && after && before->quota < after->quota;
  }
  if (a.after.knob == Knob::cpu_max_burst && b.after.knob == Knob::cpu_max) return !goes_first(b, a);
  if (a.after.knob == Knob::cpu_idle && b.after.knob == Knob::cpu_weight) return a.after.text == "0";
  if (a.after.knob == Knob::cpu_weight && b.after.knob == Knob::cpu_idle) return !goes_first(b, a);
  return false;
}

Result<void> check_use(const cgroup::Dir& dir, const Setting& after) {
  const std::string_view file = use_file(after.knob);
  const auto limit = parse_u64(after.text);
  if (file.empty() || !limit) return {};  // "max" cuts nothing
  const auto text = dir.read(file);
  if (!text && text.error().kind == ErrorKind::absent) return {};
  if (!text) return std::unexpected(text.error());
  const auto use = parse_u64(trim(*text));
  if (!use || *use <= *limit) return {};
  const std::string_view knob = cgroup::info(after.knob).file;
  if (after.knob == Knob::pids_max)
    return std::unexpected(make_error(
        ErrorKind::refused, "", fmt::format("{} {} is below what is in use, {}", knob, *limit, *use),
        "--force does it anyway: nothing dies, but nothing can be started either"));
  const std::string_view effect = after.knob == Knob::memory_max
                                      ? "the kernel reclaims, then kills until it fits"
                                  : after.knob == Knob::memory_high ? "the kernel reclaims and slows it down"
                                                                    : "nothing more is swapped out";
  return std::unexpected(make_error(ErrorKind::refused, "",
                                    fmt::format("{} {} is below what is in use, {}", knob,
                                                format_bytes(Bytes(*limit)), format_bytes(Bytes(*use))),
                                    fmt::format("--force does it anyway: {}", effect)));
}

Outcome look(const cgroup::Dir& dir, const Setting& wanted, Force force) {
  Outcome outcome{.change = {.before = wanted, .after = wanted}, .status = Status::dry_run, .error = {}};
  outcome.change.before.text.clear();
  // Opened for writing and closed again: tells permissions, a read-only mount and a missing controller before
  // anything is written.
  if (const auto file = dir.keep(cgroup::info(wanted.knob).file, cgroup::Access::read_write); !file)
    return stopped(std::move(outcome), explain(dir, wanted.knob, file.error()));
  auto before = cgroup::read_setting(dir, wanted);
  if (!before) return stopped(std::move(outcome), std::move(before).error());
  outcome.change.after = cgroup::complete(wanted, *before);
  outcome.change.before = std::move(*before);
  if (outcome.change.after == outcome.change.before) {
    outcome.status = Status::unchanged;  // not even written: a write of the same cpu.max refills the bucket
    return outcome;
  }
  if (force == Force::yes) return outcome;
  if (limits_memory(wanted.knob)) {
    auto cut = check_memory_cut(dir, outcome.change.before, outcome.change.after);
    if (!cut) return stopped(std::move(outcome), std::move(cut).error());
    outcome.shrink = *cut;
  } else if (auto fits = check_use(dir, outcome.change.after); !fits) {
    return stopped(std::move(outcome), std::move(fits).error());
  }
  return outcome;
}

Result<std::unique_ptr<cgroup::Dir>> open_target(const cgroup::Dir& root, const Container& container,
                                                 const Guarded& guarded, Force force) {
  const std::string& path = container.cgroup;
  if (path == "/") {
    if (force == Force::no)
      return std::unexpected(make_error(ErrorKind::refused, "", "is guarded, since it is the whole host",
                                        "name a cgroup below it"));
    return std::unexpected(make_error(ErrorKind::absent, path, "the kernel has no limits on the root cgroup",
                                      "name a cgroup below it"));
  }
  auto dir = cgroup::open_path(root, path);
  if (!dir && dir.error().kind == ErrorKind::absent) dir.error().kind = ErrorKind::gone;
  if (!dir || force == Force::yes) return dir;
  WEIR_TRY(const auto below, find_guarded_below(**dir));
  if (const auto why = guard(path, guarded, below))
    return std::unexpected(make_error(ErrorKind::refused, "", fmt::format("is guarded, since it {}", *why),
                                      "--force does it anyway"));
  return dir;
}

Result<Plan> make_plan(const cgroup::Dir& root, const Request& request) {
  WEIR_TRY(const std::vector<Wanted> merged, merge(request.targets));
  Plan plan{.targets = {}, .force = request.force};
  for (const Wanted& wanted : merged) plan.targets.push_back(plan_target(root, wanted, request));
  return plan;
}

std::vector<Write> write_order(Plan& plan) {
  struct Sortable {
    Write write;
    bool cuts;
    std::ptrdiff_t depth;
  };
  std::vector<Sortable> places;
  for (PlannedTarget& target : plan.targets) {
    for (Step& step : target.steps) {
      if (step.outcome.status != Status::dry_run) continue;
      const Change& change = step.outcome.change;
      places.push_back({{&target, &step}, cuts(change), std::ranges::count(change.cgroup, '/')});
    }
  }
  std::ranges::stable_sort(places, {}, [](const Sortable& place) {
    return place.cuts ? std::pair(0, -place.depth) : std::pair(1, place.depth);
  });
  std::vector<Write> order;
  for (const Sortable& place : places) order.push_back(place.write);
  for (std::size_t a = 0; a < order.size(); ++a) {
    for (std::size_t b = a + 1; b < order.size(); ++b) {
      if (order[a].target == order[b].target &&
          goes_first(order[b].step->outcome.change, order[a].step->outcome.change))
        std::swap(order[a], order[b]);
    }
  }
  return order;
}

}  // namespace weir::limits
