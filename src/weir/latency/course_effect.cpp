// SPDX-License-Identifier: MIT
// The courses that time the first effect of a limit: a task of ours in the cgroup is held back, and the
// kernel's first act after the write is waited for.
#include <fmt/format.h>
#include <unistd.h>

#include "weir/cgroup/stat.h"
#include "weir/latency/course.h"

namespace weir::latency {
namespace {

using cgroup::Knob;
using std::chrono::milliseconds;

/// A write refills the quota at once, so effects are looked for only where earlier writes are used up.
constexpr milliseconds kThreePeriods{3 * kPeriodMicros / 1000};
constexpr milliseconds kEffectTimeout{3'000};

constexpr Value kCut{.knob = Knob::cpu_max, .number = 10'000};
constexpr Value kRaise{.knob = Knob::cpu_max, .number = 150'000};  // more than one thread can use

constexpr Bytes kCache{24 * kMiB};
constexpr std::uint64_t kRoomy = 512 * kMiB;

std::unexpected<Error> cannot(std::string_view subject, std::string_view why) {
  return std::unexpected(make_error(ErrorKind::absent, subject, why));
}

class CpuEffect final : public Course {
 public:
  CpuEffect(Bench bench, std::optional<Task> spinner)
      : bench_(std::move(bench)), spinner_(std::move(spinner)) {}

  Result<std::vector<Sample>> run(Method method, Writer& writer) override {
    WEIR_TRY(const Sample cut, one(method, writer, Direction::cut));
    WEIR_TRY(const Sample raise, one(method, writer, Direction::raise));
    return std::vector{cut, raise};
  }

 private:
  Result<Sample> one(Method method, Writer& writer, Direction direction) {
    const bool cut = direction == Direction::cut;
    // What is seen while the last write is used up says whether the cgroup is held when the next one comes.
    bench_.forget();
    bench_.rest(kThreePeriods);
    std::vector<limit_write_event> events;
    // A direct write takes no time: it can be aimed at a moment when the cgroup is held.
    if (!cut && info(method).speed == Speed::direct)
      bench_.collect(events, kEffectTimeout,
                     [&] { return !events.empty() && events.back().kind == LIMIT_THROTTLED; });
    WEIR_TRY(const Call call, bench_.write(writer, method, cut ? kCut : kRaise));
    StageTimes times;
    FirstEffect effect;
    bench_.collect(events, kEffectTimeout, [&] {
      times = read_call(call, events);
      effect = cut ? first_throttle(call, times, events) : first_run(call, times, events);
      return effect.why != FirstEffect::Why::not_yet;
    });
    at(times, Stage::first_effect) = effect.at_ns;
    return Sample{
        .method = method, .knob = bench_.knob, .part = Part::effect, .direction = direction, .times = times};
  }

  Bench bench_;
  std::optional<Task> spinner_;  ///< where the load does not spin by itself
};

class MemoryEffect final : public Course {
 public:
  MemoryEffect(Bench bench, Task reader) : bench_(std::move(bench)), reader_(std::move(reader)) {}

  Result<std::vector<Sample>> run(Method method, Writer& writer) override {
    cgroup::Dir& dir = bench_.subject.dir();
    const std::string_view file = raced(bench_.knob).file;
    WEIR_CHECK(dir.write(file, kernel_text(roomy())));
    WEIR_CHECK(reader_.fill());
    WEIR_TRY(const Bytes usage, cgroup::read_memory_current(dir));
    if (usage.count() < kCache.count() * 3 / 4)
      return std::unexpected(
          make_error(ErrorKind::failed, file, "the page cache was not charged to the cgroup"));
    // Half of the cache stays: nothing but clean pages has to go, and nothing can be killed.
    const Value cut{.knob = bench_.knob, .number = (usage.count() - kCache.count() / 2) / kMiB * kMiB};
    bench_.forget();
    WEIR_TRY(const Call call, bench_.write(writer, method, cut));
    std::vector<limit_write_event> events;
    StageTimes times;
    const bool hooked = bench_.trace != nullptr && bench_.trace->hooks().reclaim.watched();
    bench_.collect(events, kEffectTimeout, [&] {
      times = read_call(call, events);
      at(times, Stage::first_effect) =
          hooked ? first_reclaim(call, times, events).at_ns : polled(call, dir, cut);
      return at(times, Stage::first_effect).has_value();
    });
    WEIR_CHECK(dir.write(file, kernel_text(roomy())));
    return std::vector{Sample{.method = method,
                              .knob = bench_.knob,
                              .part = Part::effect,
                              .direction = Direction::cut,
                              .times = times}};
  }

  Result<void> undo(Method method, Writer& writer) override {
    WEIR_CHECK(bench_.write(writer, method, roomy()));
    return {};
  }

 private:
  [[nodiscard]] Value roomy() const { return {.knob = bench_.knob, .number = kRoomy}; }

  [[nodiscard]] std::optional<Nanos> polled(const Call& call, const cgroup::Dir& dir,
                                            const Value& cut) const {
    const auto usage = cgroup::read_memory_current(dir);
    if (!usage || usage->count() > cut.number) return std::nullopt;
    return bench_.now() - call.start_ns;
  }

  Bench bench_;
  Task reader_;
};

}  // namespace

Result<std::unique_ptr<Course>> begin_cpu_effect(const Bench& bench) {
  if (bench.trace == nullptr) return cannot("cpu.max", "the first effect is seen by eBPF only");
  const bpf::LimitWriteHooks& hooks = bench.trace->hooks();
  for (const bpf::Hook* hook : {&hooks.entry, &hooks.handler, &hooks.throttled, &hooks.ran})
    if (!hook->watched()) return cannot("cpu.max", hook->why_not);
  std::optional<Task> spinner;
  if (!bench.subject.busy()) {
    WEIR_TRY(spinner, Task::spinner(bench.subject.dir()));
  }
  WEIR_CHECK(bench.trace->watch_effect());
  WEIR_CHECK(bench.subject.dir().write("cpu.max", kernel_text(kRaise)));
  return std::make_unique<CpuEffect>(bench, std::move(spinner));
}

Result<std::unique_ptr<Course>> begin_memory_effect(const Bench& bench) {
  WEIR_TRY(Task reader, Task::cache_reader(bench.subject.dir(), kCache));
  if (bench.trace != nullptr) WEIR_CHECK(bench.trace->watch_effect());
  return std::make_unique<MemoryEffect>(bench, std::move(reader));
}

}  // namespace weir::latency
