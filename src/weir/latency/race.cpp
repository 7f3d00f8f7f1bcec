// SPDX-License-Identifier: MIT
#include "weir/latency/race.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/text.h"
#include "weir/latency/estimate.h"

namespace weir::latency {
namespace {

using cgroup::Knob;

/// A combination that failed so often in a row is given up.
constexpr unsigned kFailuresInARow = 3;

/// For messages of the kernel's and of other programs' failures, which may be long.
std::string brief(const Error& error) { return error.message().substr(0, 400); }

}  // namespace

struct Race::Lap {
  std::optional<Step> of;  ///< knob and part; nullopt before the first
  std::optional<bpf::LimitWrite> trace;
  std::unique_ptr<Course> course;  ///< null: this part cannot run here
  std::vector<Method> ran;

  [[nodiscard]] bool holds(const Step& step) const {
    return of && of->knob == step.knob && of->part == step.part;
  }
};

Race::Race(Subject& subject, HostPaths paths, const Clock& clock, Hooks hooks)
    : subject_(subject), paths_(std::move(paths)), clock_(clock), hooks_(hooks) {}
Race::~Race() = default;

std::vector<Combination> Race::find_combinations(std::span<const Method> methods,
                                                 std::span<const Knob> knobs) {
  std::vector<Combination> found;
  for (const Knob knob : knobs) {
    if (auto text = subject_.dir().read(raced(knob).file)) old_.emplace(knob, std::string(trim(*text)));
    for (const Method method : methods) {
      auto writer = make_writer(method, knob, subject_, paths_);
      if (!old_.contains(knob)) {
        writer =
            std::unexpected(make_error(ErrorKind::absent, raced(knob).file, "the cgroup has no such file"));
      }
      if (!writer) {
        outcome_.unsupported.push_back({method, knob, std::nullopt, brief(writer.error())});
        continue;
      }
      writers_.insert_or_assign({method, knob}, std::move(*writer));
      found.push_back({.method = method, .knob = knob});
    }
  }
  return found;
}

std::string Race::why_none() const {
  return outcome_.unsupported.empty() ? "nothing is to be raced" : outcome_.unsupported.front().reason;
}

void Race::note(Knob knob, std::optional<Stage> stage, std::string_view reason) {
  for (const auto& [combination, writer] : writers_)
    if (combination.second == knob)
      outcome_.unsupported.push_back({combination.first, knob, stage, std::string(reason)});
}

void Race::note_missing_stages(const bpf::LimitWriteHooks& hooks, Knob knob) {
  if (!hooks.entry.watched()) note(knob, Stage::write_entry, hooks.entry.why_not);
  if (!hooks.handler.watched()) note(knob, Stage::handler_done, hooks.handler.why_not);
}

Result<bpf::LimitWrite> Race::open_trace(const KnobInfo& knob) {
  if (hooks_ == Hooks::off)
    return std::unexpected(make_error(ErrorKind::absent, "eBPF", "is turned off by --no-ebpf"));
  WEIR_TRY(const std::uint64_t inode, subject_.dir().file_id(knob.file));
  return bpf::LimitWrite::open(
      {.cgroup = subject_.dir().id(),
       .level = static_cast<unsigned>(std::ranges::count(subject_.dir().path(), '/')),
       .file_inode = inode,
       .handler = std::string(knob.handler),
       .handler_kind = knob.handler_kind,
       .effect = subject_.ours() ? knob.effect : bpf::Effect::none});
}

Result<void> Race::enter(Lap& lap, const Step& step, const Observer& observer) {
  const bool new_knob = !lap.of || lap.of->knob != step.knob;
  WEIR_CHECK(leave(lap));
  lap.of = step;
  const KnobInfo& knob = raced(step.knob);
  if (new_knob) {
    if (lap.trace) outcome_.lost_events += lap.trace->lost();
    lap.trace.reset();
    auto trace = open_trace(knob);
    if (!trace && trace.error().kind == ErrorKind::gone) return std::unexpected(trace.error());
    if (trace) {
      lap.trace.emplace(std::move(*trace));
      outcome_.hooks.push_back({step.knob, lap.trace->hooks()});
      note_missing_stages(lap.trace->hooks(), step.knob);
    } else {
      outcome_.hooks.push_back({step.knob, {}});
      for (const Stage stage : {Stage::write_entry, Stage::handler_done})
        note(step.knob, stage, brief(trace.error()));
    }
    if (!knob.no_effect.empty())
      note(step.knob, Stage::first_effect, knob.no_effect);
    else if (!subject_.ours())
      note(step.knob, Stage::first_effect,
           "only a container that weir latency made itself is held back on purpose");
  }
  const Bench bench{.subject = subject_,
                    .knob = step.knob,
                    .trace = lap.trace ? &*lap.trace : nullptr,
                    .clock = clock_,
                    .interrupted = observer.interrupted};
  auto course = step.part == Part::calls               ? begin_calls(bench, old_[step.knob])
                : knob.effect == bpf::Effect::throttle ? begin_cpu_effect(bench)
                                                       : begin_memory_effect(bench);
  if (course) {
    lap.course = std::move(*course);
    return {};
  }
  if (!subject_.dir().alive()) return std::unexpected(course.error());
  note(step.knob, step.part == Part::effect ? std::optional(Stage::first_effect) : std::nullopt,
       brief(course.error()));
  return {};
}

Result<void> Race::leave(Lap& lap) {
  if (lap.course) {
    for (const Method method : lap.ran)
      WEIR_CHECK(lap.course->undo(method, *writers_.at({method, lap.of->knob})));
  }
  lap.course.reset();
  if (lap.trace) lap.trace->ignore_effect();
  lap.ran.clear();
  return {};
}

Result<std::vector<cgroup::Setting>> Race::first_values() {
  std::vector<cgroup::Setting> settings;
  for (const KnobInfo& knob : raced_knobs()) {
    const bool raced_here =
        std::ranges::any_of(writers_, [&](const auto& each) { return each.first.second == knob.knob; });
    if (!raced_here) continue;
    WEIR_TRY(const ValuePair values, call_values(subject_, knob.knob, old_.at(knob.knob)));
    settings.push_back({.knob = knob.knob, .device = {}, .text = kernel_text(values.second)});
  }
  return settings;
}

Outcome Race::run(const std::vector<Step>& plan, Progressed done, const Observer& observer) {
  const std::size_t first = done.next;
  outcome_.samples = std::move(done.samples);
  Estimate estimate(std::span<const Step>(plan).subspan(std::min(first, plan.size())));
  std::map<std::pair<Method, Knob>, unsigned> failures;
  Lap lap;
  const auto stop = [&](const Error& error) {
    outcome_.stopped = error;
    if (!subject_.dir().alive()) outcome_.stopped->kind = ErrorKind::gone;
  };
  for (std::size_t i = first; i < plan.size() && !outcome_.stopped; ++i) {
    const Step& step = plan[i];
    if (observer.interrupted()) break;
    if (!lap.holds(step)) {
      if (const auto entered = enter(lap, step, observer); !entered) {
        stop(entered.error());
        break;
      }
    }
    const std::chrono::nanoseconds begin = clock_.monotonic();
    std::vector<Sample> measured;
    unsigned& failed = failures[{step.method, step.knob}];
    const bool skip = !lap.course || failed >= kFailuresInARow;
    if (!skip) {
      auto result = lap.course->run(step.method, *writers_.at({step.method, step.knob}));
      if (observer.interrupted()) break;  // what was under way is not counted
      if (result) {
        failed = 0;
        if (std::ranges::find(lap.ran, step.method) == lap.ran.end()) lap.ran.push_back(step.method);
        if (!step.warm_up) measured = std::move(*result);
      } else if (!subject_.dir().alive()) {
        stop(result.error());
        break;
      } else {
        ++outcome_.failed_writes;
        // Who does not answer within a minute is not asked twice more.
        failed = result.error().err == ETIMEDOUT ? kFailuresInARow : failed + 1;
        if (failed >= kFailuresInARow)
          outcome_.unsupported.push_back(
              {step.method, step.knob, std::nullopt, "given up: " + brief(result.error())});
      }
    }
    outcome_.samples.insert(outcome_.samples.end(), measured.begin(), measured.end());
    estimate.done(step, skip ? std::chrono::nanoseconds(0) : clock_.monotonic() - begin);
    if (auto kept = observer.keep(i + 1, measured); !kept) stop(kept.error());
    observer.progress({.next = i + 1, .total = plan.size(), .step = step, .left = estimate.left()});
  }
  outcome_.interrupted = observer.interrupted();
  if (!outcome_.stopped && !outcome_.interrupted) {
    if (const auto left = leave(lap); !left) stop(left.error());
  }
  if (lap.trace) outcome_.lost_events += lap.trace->lost();
  return std::move(outcome_);
}

std::vector<std::string> Race::restore() {
  std::vector<std::string> failures;
  if (subject_.ours() || !subject_.dir().alive()) return failures;
  for (const auto& [combination, writer] : writers_) {
    const auto& [method, knob] = combination;
    if (info(method).speed == Speed::direct) continue;
    const auto value = parse_value(knob, old_.at(knob));
    Result<void> told = value ? writer->prepare(*value) : std::unexpected(value.error());
    if (told) told = writer->write();
    if (!told)
      failures.push_back(
          fmt::format("{} by {}: {}", raced(knob).file, info(method).title, brief(told.error())));
  }
  return failures;
}

}  // namespace weir::latency
