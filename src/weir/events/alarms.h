// SPDX-License-Identifier: MIT
#pragma once
// Alarms: trouble as it begins, between the frames, told by the kernel itself. Three sources, each where this
// host has it (rungs.h finds out): BPF hooks (throttling, victims of kills), PSI triggers (waits) and the
// notifications of memory.events (memory limits, kills). What lasts is ended by the frames. A condition that
// lasts is not watched meanwhile: each source wakes us once, and again after it has ended. One thread.

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/wait_set.h"
#include "weir/bpf/onset.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/psi_trigger.h"
#include "weir/events/detector.h"

namespace weir::events {

class Alarms {
 public:
  /// Of what it adds to the WaitSet; smaller ones are the owner's.
  static constexpr std::uint64_t kFirstNumber = 64;
  /// All outlive it.
  struct Sources {
    const cgroup::Dir& root;
    const Clock& clock;
    WaitSet& waiting;
    bpf::Onset* onset = nullptr;              ///< null: without BPF
    std::optional<cgroup::PsiWindow> window;  ///< nullopt: without triggers
    bool notices = false;                     ///< memory.events
  };
  static Result<Alarms> open(Sources sources);

  /// The host, from now on. What it does not have is passed over.
  void add_host(Detector& detector);
  enum class Begin { was_there, just_started };
  /// One that is gone already is passed over.
  void add(const Subject& subject, Begin begin, Detector& detector);
  void rename(const Subject& subject);
  void remove(CgroupId cgroup);

  /// What the WaitSet said; others' numbers are passed over.
  std::vector<Event> take(std::span<const Ready> ready, Detector& detector);
  /// After each frame: watches again what has ended.
  void rearm(const Detector& detector);
  /// What BPF had to drop.
  [[nodiscard]] std::uint64_t lost() const { return sources_.onset == nullptr ? 0 : sources_.onset->lost(); }

 private:
  /// The pressure files: of cpu, memory and io what some waited, and of io what all did.
  static constexpr std::size_t kTriggers = 4;
  static constexpr std::size_t kMemory = kTriggers;  ///< beside the triggers: memory.events
  static constexpr std::size_t kFiles = 8;           ///< numbers of one container
  struct Trigger {
    cgroup::PsiTrigger psi;
    std::chrono::nanoseconds believed_from{0};  ///< CLOCK_MONOTONIC
    bool fired = false;                         ///< and not waited for
  };
  struct Watched {
    CgroupId cgroup;
    std::uint64_t serial = 0;
    std::optional<Subject> subject;    ///< nullopt: the host
    std::unique_ptr<cgroup::Dir> own;  ///< null: the host's
    const cgroup::Dir* dir = nullptr;
    std::unique_ptr<cgroup::File> memory;
    std::array<std::optional<Trigger>, kTriggers> triggers;
    bool memory_fired = false, triggers_fired = false;
    bool has_triggers = false;                  ///< one of kMostWithTriggers
    std::chrono::nanoseconds triggers_from{0};  ///< CLOCK_MONOTONIC
  };
  explicit Alarms(Sources sources) : sources_(sources) {}
  Watched& begin_watching(CgroupId cgroup, const cgroup::Dir& dir);
  void arm_triggers(Watched& watched, const Detector& detector);
  static std::uint64_t number_of(const Watched& watched, std::size_t file) {
    return kFirstNumber + watched.serial * kFiles + file;
  }
  void fired(Watched& watched, std::size_t trigger, std::uint32_t what, Detector& detector,
             std::vector<Event>& events);
  void read_memory(Watched& watched, Detector& detector, std::vector<Event>& events);
  void take_bpf(Detector& detector, std::vector<Event>& events);
  [[nodiscard]] Moment now() const {
    return {.at = sources_.clock.monotonic(), .time = sources_.clock.realtime()};
  }
  /// A moment that BPF stamped, which is a little ago.
  [[nodiscard]] Moment then(std::uint64_t monotonic) const;

  Sources sources_;
  std::map<CgroupId, Watched> watched_;
  std::map<std::uint64_t, CgroupId> by_serial_;
  std::uint64_t last_serial_ = 0;  ///< of BPF: 0
  std::vector<onset_event> onsets_;
  std::size_t with_triggers_ = 0;
};

}  // namespace weir::events
