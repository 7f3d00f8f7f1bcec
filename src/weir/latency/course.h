// SPDX-License-Identifier: MIT
#pragma once
// Course: one part of a race on one knob: how a single write of it is set up, timed and brought to rest.
// Three kinds: calls (between two values that hold nobody back), and the first effects of cpu.max and of the
// memory limits.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/bpf/limit_write.h"
#include "weir/latency/plan.h"
#include "weir/latency/stages.h"
#include "weir/latency/subject.h"
#include "weir/latency/value.h"
#include "weir/latency/writer.h"

namespace weir::latency {

/// One counted write.
struct Sample {
  Method method = Method::pwrite;
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  Part part = Part::calls;
  Direction direction = Direction::any;
  StageTimes times;
  bool operator==(const Sample&) const = default;
};

/// What every course works on. `trace` is null where no BPF program can be loaded.
struct Bench {
  Subject& subject;
  cgroup::Knob knob;
  bpf::LimitWrite* trace;
  const Clock& clock;
  std::function<bool()> interrupted;

  [[nodiscard]] Nanos now() const;
  /// Sleeps; ends early when interrupted.
  void rest(std::chrono::nanoseconds span) const;
  /// Prepares outside of the timing, then writes.
  Result<Call> write(Writer& writer, Method method, const Value& value) const;
  /// Appends the kernel's events until `enough` says so, or the time is over.
  void collect(std::vector<limit_write_event>& events, std::chrono::nanoseconds timeout,
               const std::function<bool()>& enough) const;
  /// Throws away what is in the ring.
  void forget() const;
};

class Course {
 public:
  virtual ~Course() = default;
  virtual Result<std::vector<Sample>> run(Method method, Writer& writer) = 0;
  /// What must be undone with each slow method, so that what it remembers does not hold the subject back
  /// later.
  virtual Result<void> undo(Method method, Writer& writer);
};

/// `old` is the knob's text before the race. absent: why the part cannot run here.
Result<std::unique_ptr<Course>> begin_calls(const Bench& bench, const std::string& old);
Result<std::unique_ptr<Course>> begin_cpu_effect(const Bench& bench);
Result<std::unique_ptr<Course>> begin_memory_effect(const Bench& bench);

/// The two values of a course of calls. Pure. For a subject of ours some that are well above its use; for
/// another one near what it has now, and never tighter.
struct ValuePair {
  Value first, second;
};
Result<ValuePair> call_values(cgroup::Knob knob, const std::string& old, bool ours, Bytes usage,
                              unsigned cpus);
/// The same for a subject on this host.
Result<ValuePair> call_values(Subject& subject, cgroup::Knob knob, const std::string& old);

/// The hook of the first reclaim where BPF has none.
inline constexpr std::string_view kPolledUsage = "memory.current polled";

}  // namespace weir::latency
