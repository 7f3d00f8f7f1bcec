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
#include "weir/base/fd.h"
#include "weir/bpf/onset.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/psi_trigger.h"
#include "weir/events/detector.h"

namespace weir::events {

class Alarms {
 public:
  /// All outlive it.
  struct Sources {
    const cgroup::Dir& root;
    const Clock& clock;
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
  void remove(CgroupId cgroup);

  /// Readable when take() has something to do.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  std::vector<Event> take(Detector& detector);
  /// After each frame: watches again what has ended.
  void rearm(const Detector& detector);
  /// What BPF had to drop.
  [[nodiscard]] std::uint64_t lost() const { return sources_.onset == nullptr ? 0 : sources_.onset->lost(); }

 private:
  /// The pressure files: of cpu, memory and io what some waited, and of io what all did.
  static constexpr std::size_t kTriggers = 4;
  /// What epoll says is ready.
  struct Wire {
    CgroupId cgroup;
    std::size_t which;  ///< of the triggers; kTriggers: memory.events
  };
  struct Watched {
    std::array<Wire, kTriggers + 1> wires;
    std::optional<Subject> subject;    ///< nullopt: the host
    std::unique_ptr<cgroup::Dir> own;  ///< null: the host's
    const cgroup::Dir* dir = nullptr;
    std::unique_ptr<cgroup::File> memory;
    std::array<std::optional<cgroup::PsiTrigger>, kTriggers> triggers;
    bool memory_fired = false, triggers_fired = false;
  };
  Alarms(Sources sources, Fd epoll) : sources_(sources), epoll_(std::move(epoll)) {}
  Watched& begin_watching(CgroupId cgroup, const cgroup::Dir& dir);
  void arm_triggers(Watched& watched, const Detector& detector);
  void wait_on(int fd, Wire& wire, int operation) const;
  void read_memory(Watched& watched, Detector& detector, std::vector<Event>& events);
  void take_bpf(Detector& detector, std::vector<Event>& events);
  [[nodiscard]] Moment now() const {
    return {.at = sources_.clock.monotonic(), .time = sources_.clock.realtime()};
  }
  /// A moment that BPF stamped, which is a little ago.
  [[nodiscard]] Moment then(std::uint64_t monotonic) const;

  Sources sources_;
  Fd epoll_;
  std::map<CgroupId, Watched> watched_;
  std::vector<onset_event> onsets_;
  std::size_t with_triggers_ = 0;
};

}  // namespace weir::events
