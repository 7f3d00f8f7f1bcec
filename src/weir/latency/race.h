// SPDX-License-Identifier: MIT
#pragma once
// Race: runs a plan on a subject, one write at a time, and keeps what was timed. The clock is
// CLOCK_MONOTONIC, which is also the clock of the BPF events. Between two writes everything has come to rest:
// no event of one can be taken for another's.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/latency/course.h"
#include "weir/latency/plan.h"
#include "weir/latency/subject.h"
#include "weir/latency/writer.h"

namespace weir::latency {

/// A combination, or one stage of it, that cannot be timed here, and why.
struct Unsupported {
  Method method = Method::pwrite;
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  std::optional<Stage> stage;  ///< nullopt: all of them
  std::string reason;
};

struct KnobHooks {
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  bpf::LimitWriteHooks hooks;
};

struct Outcome {
  std::vector<Sample> samples;
  std::vector<Unsupported> unsupported;
  std::vector<KnobHooks> hooks;
  std::uint64_t lost_events = 0;
  std::uint64_t failed_writes = 0;
  bool interrupted = false;
  std::optional<Error> stopped;  ///< what ended it early: the container is gone
};

/// What an earlier, interrupted run has done.
struct Progressed {
  std::uint64_t seed = 0;       ///< of the plan
  std::size_t next = 0;         ///< steps of the plan that are over
  std::vector<Sample> samples;  ///< what they measured
};

/// Where a race is. `next` steps of the plan are over.
struct Progress {
  std::size_t next = 0, total = 0;
  Step step{};
  std::chrono::nanoseconds left{0};
};

struct Observer {
  std::function<bool()> interrupted;  ///< asked between writes
  std::function<void(const Progress&)> progress;
  /// After each step, with what it measured: for a state file.
  std::function<Result<void>(std::size_t next, std::span<const Sample> measured)> keep;
};

/// With the hooks off only the call is timed, and nothing is added to it.
enum class Hooks { on, off };

class Race {
 public:
  Race(Subject& subject, HostPaths paths, const Clock& clock, Hooks hooks);
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  Race(Race&&) = delete;
  Race& operator=(Race&&) = delete;

  /// The combinations that exist on this host, of these methods and knobs; the others are noted as
  /// unsupported.
  std::vector<Combination> find_combinations(std::span<const Method> methods,
                                             std::span<const cgroup::Knob> knobs);
  /// Why there is no combination at all: the first reason.
  [[nodiscard]] std::string why_none() const;
  /// For a subject that the user named: a value of each knob that a race may begin with, never tighter than
  /// what it has.
  Result<std::vector<cgroup::Setting>> first_values();
  /// Runs the steps after `done.next`, and adds to `done.samples`. Errors of single writes are counted; three
  /// in a row end a combination.
  Outcome run(const std::vector<Step>& plan, Progressed done, const Observer& observer);
  /// Tells the other programs (Docker, systemd) the old limits of a subject that the user named. What could
  /// not be told, one sentence each. The kernel's files are the caller's to restore, afterwards.
  std::vector<std::string> restore();

 private:
  /// What a knob's BPF programs are, and the part that is running.
  struct Lap;
  Result<void> enter(Lap& lap, const Step& step, const Observer& observer);
  Result<void> leave(Lap& lap);
  Result<bpf::LimitWrite> open_trace(const KnobInfo& knob);
  void note_missing_stages(const bpf::LimitWriteHooks& hooks, cgroup::Knob knob);
  void note(cgroup::Knob knob, std::optional<Stage> stage, std::string_view reason);

  Subject& subject_;
  HostPaths paths_;
  const Clock& clock_;
  Hooks hooks_;
  std::map<std::pair<Method, cgroup::Knob>, std::unique_ptr<Writer>> writers_;
  std::map<cgroup::Knob, std::string> old_;  ///< texts before the race
  Outcome outcome_;
};

}  // namespace weir::latency
