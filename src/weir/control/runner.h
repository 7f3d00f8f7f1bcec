// SPDX-License-Identifier: MIT
#pragma once
// Runner: the controller on this host. Finds whom the configuration means as they come and go, makes the
// cgroups that it is to make, hands frames and what the kernel tells to the Controller, carries its actions
// out through limits::Regulator, and says what was done. One thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/wait_set.h"
#include "weir/bpf/lost_time.h"
#include "weir/bpf/onset.h"
#include "weir/bpf/period_start.h"
#include "weir/cgroup/dir.h"
#include "weir/control/config.h"
#include "weir/control/controller.h"
#include "weir/control/live_model.h"
#include "weir/control/made_cgroups.h"
#include "weir/control/places.h"
#include "weir/control/prepare.h"
#include "weir/control/samples.h"
#include "weir/control/wakes.h"
#include "weir/limits/regulator.h"
#include "weir/model/host_paths.h"
#include "weir/sample/frames.h"
#include "weir/sample/limits_above.h"

namespace weir::control {

/// The reason of its changes in the journal: by it they are found again after a crash, and taken back.
inline constexpr std::string_view kReason = "weir control";

enum class Writes { yes, no };  ///< no: everything is decided and told, and nothing written

class Runner {
 public:
  /// All outlive it; `onset`, `starts` and `lost` may be null.
  struct Sources {
    cgroup::Dir& root;
    const HostPaths& paths;
    const Clock& clock;
    sample::Frames& frames;
    WaitSet& waiting;
    bpf::Onset* onset = nullptr;
    bpf::PeriodStart* starts = nullptr;
    bpf::LostTime* lost = nullptr;
    limits::Caller who;
    limits::Guarded guarded;
    std::string boot_id;
    Writes writes = Writes::yes;
  };
  static Result<Runner> open(Sources sources, Config config);

  /// What is new: containers, wakes, frames, writes that are due. Errors: the sampler's.
  Result<std::vector<Event>> turn(std::span<const Ready> ready);
  /// When turn() is to be called at the latest.
  [[nodiscard]] std::chrono::nanoseconds again() const;

  /// Another configuration from now on: whom it does not name any more is let go, with the limits as they
  /// are.
  Result<std::vector<Event>> reconfigure(Config config);
  /// Puts back what the limits were before, and removes what it made and nobody is in; nothing where it does
  /// not write.
  Result<void> restore();

  /// The frame of containers that the last turn() took; null: there was none. Valid until the next.
  [[nodiscard]] const Frame* frame() const { return frame_; }
  [[nodiscard]] std::size_t managed() const { return members_.size(); }
  [[nodiscard]] const Config& config() const { return *config_; }
  /// Rows of samples that are complete since the last call.
  std::vector<std::string> take_samples() { return samples_.take(); }
  /// Troubles since the last call, for people.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
  /// What was done and seen beside limits since the last call, for people.
  std::vector<std::string> take_said() { return std::exchange(said_, {}); }

 private:
  struct Member {
    Subject subject;
    std::unique_ptr<cgroup::Dir> dir;
    sample::LimitsAbove::Chain above;
    bpf::LostTime::Sums lost;  ///< at `lost_at`, CLOCK_MONOTONIC
    std::chrono::nanoseconds lost_at{0};
    std::vector<cgroup::Setting> settings;  ///< of its entry's resources, as last seen or written
    std::string trouble;                    ///< that was told last, until a write works
  };
  /// What a controller set of a place, and what was there before.
  struct Ours {
    cgroup::Setting before, after;
  };
  static std::map<limits::Place, Ours> find_ours(const Sources& sources);
  /// What it writes with.
  struct Writing {
    limits::Regulator regulator;
    MadeCgroups made;
  };
  Runner(Sources sources, Config config, Wakes wakes, std::optional<Writing> writing);

  [[nodiscard]] Moment now() const {
    return {.at = sources_.clock.monotonic(), .time = sources_.clock.realtime()};
  }
  [[nodiscard]] const Entry* entry_of(const Subject& subject) const;
  void take_in(const Subject& subject, std::vector<Event>& events);
  void let_go(CgroupId cgroup);
  void make_places();
  void tell(Prepared prepared);
  void see_changes(const std::vector<sample::RosterChange>& changes, std::vector<Event>& events);
  void see(const Frame& frame, std::vector<Event>& events);
  [[nodiscard]] Result<Controller::Present> find_present(const Managed& managed,
                                                         const cgroup::Dir& dir) const;
  bool ask_next(const Action& action);
  void see_above();
  void see_lost();
  void see_settings(std::vector<Event>& events);
  void carry_out(std::vector<Action> actions, std::vector<Event>& events);
  void note(const Subject& subject, const Error& error);
  void write(std::vector<Event>& events);
  void look_again(const limits::Change& change);
  void is_in_force(const Action& action);
  void see_looks();
  void look_at_model();

  Sources sources_;
  std::unique_ptr<Config> config_;
  LiveModel model_;
  std::unique_ptr<Controller> controller_;
  Wakes wakes_;
  std::optional<Writing> writing_;
  Places places_;
  std::map<CgroupId, Member> members_;
  std::map<CgroupId, Subject> seen_;  ///< all containers there are, and plain cgroups of the configuration
  std::vector<Action> asked_;         ///< and not written yet
  sample::LimitsAbove above_;
  const Frame* frame_ = nullptr;
  std::vector<char> buffer_;
  std::chrono::nanoseconds round_{0}, rearmed_{0};
  std::optional<std::map<limits::Place, Ours>> ours_;  ///< while several are taken in
  Samples samples_;
  std::vector<std::string> notes_, said_;
  bool failing_ = false;  ///< the journal
};

}  // namespace weir::control
