// SPDX-License-Identifier: MIT
#pragma once
// Controller: frames and what the kernel tells in; limits to write and events out. It holds who is managed
// and where each soft limit is; what becomes of one is decide.h's. What the host has left is shared here: a
// container of a higher priority may take what one of a lower holds and does not use. Reads and writes
// nothing; times come with the frames.

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/cgroup/knob.h"
#include "weir/control/config.h"
#include "weir/model/event.h"
#include "weir/model/frame.h"
#include "weir/policy/decide.h"
#include "weir/policy/tracker.h"

namespace weir::control {

struct Moment {
  std::chrono::nanoseconds at{0};    ///< CLOCK_MONOTONIC
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
};

/// A limit that is to be written, or only told (no setting): `decision` made of `view`.
struct Action {
  Subject subject;
  policy::Resource resource = policy::Resource::cpu;
  std::string device;
  const Managed* managed = nullptr;  ///< of the configuration; never null
  policy::View view;
  policy::Decision decision;
  std::optional<cgroup::Setting> setting;
  std::string rival;    ///< who uses what it waits for, where that is the cause and known
  bool urgent = false;  ///< a raise of what is held back right now
};

/// What is told of an action: soft_limit_raised, …; with everything that it was decided by.
Event to_event(const Action& action, Moment moment);

/// The setting that makes a limit so: cpu.max with `period`, memory.high in whole pages, io.max of `device`.
cgroup::Setting to_setting(policy::Resource resource, double limit, std::string_view device,
                           std::chrono::microseconds period);
/// The limit that a setting makes; infinite where it is "max", nullopt where it says nothing of the resource.
std::optional<double> to_limit(policy::Resource resource, const cgroup::Setting& setting);

class Controller {
 public:
  /// `config` outlives it.
  explicit Controller(const Config& config) : config_(&config) {}

  /// What is in force when a container comes into care.
  struct Present {
    cgroup::Setting setting;  ///< of the knob, as it is
    bool resumed = false;     ///< set by a controller before this one: it goes on from there
  };
  /// `present`: one for each resource of `entry`, which is one of the configuration's. The limits to begin
  /// with.
  std::vector<Action> add(const Subject& subject, const Entry& entry, const std::vector<Present>& present,
                          Moment moment);
  void remove(CgroupId cgroup);
  [[nodiscard]] bool manages(CgroupId cgroup) const { return members_.contains(cgroup); }

  /// Told beside the frames, in the units of View; kept until told anew.
  void limit_above(CgroupId cgroup, policy::Resource resource, double limit);
  /// `rival`: who used the CPU meanwhile, for people.
  void lost(CgroupId cgroup, policy::Lost lost, std::string rival);

  /// The kernel has just told that a limit was hit.
  std::vector<Action> wake(CgroupId cgroup, policy::Resource resource, Moment moment);
  std::vector<Action> see(const Frame& frame);
  /// Every decision of the last wake() or see(), also to change nothing.
  [[nodiscard]] const std::vector<Action>& looks() const { return looks_; }

  /// What became of an action that had a setting; without it its limit is not taken to be in force.
  void wrote(const Action& action, Moment moment);
  /// Someone else set a limit: within its bounds it counts from now on; else the one before is written again
  /// (a runtime that starts a container, or updates something else of it, writes all limits that it knows).
  std::vector<Action> found(CgroupId cgroup, const cgroup::Setting& setting, Moment moment);

 private:
  struct Slot {
    const Managed* managed = nullptr;
    policy::Tracker tracker;
    std::chrono::microseconds period{100'000};
    std::optional<std::pair<policy::Verdict, policy::Cause>> told;  ///< what lasts and was told already
    double limit_above = 0;
    double asked = 0;  ///< the raise that is not written yet
  };
  struct Member {
    Subject subject;
    int priority = 0;
    std::vector<Slot> slots;
    std::optional<policy::Lost> lost;
    std::string rival;  ///< empty: nobody known
  };

  void decide(Member& member, Slot& slot, const policy::View& view, std::vector<Action>& actions);
  void count_left();
  [[nodiscard]] policy::View view_of(const Slot& slot, std::chrono::nanoseconds at, bool woken) const;
  void make_room(const Member& member, Slot& slot, std::vector<Action>& actions);
  bool is_news(Slot& slot, const policy::View& view, const policy::Decision& decision);
  static Action action_of(const Member& member, const Slot& slot, const policy::View& view,
                          const policy::Decision& decision);
  void see_host(const Sample& host);

  const Config* config_;
  std::map<CgroupId, Member> members_;
  std::vector<Action> looks_;
  std::optional<Sample> host_;
  double host_cpus_ = 0, host_memory_ = 0;         ///< 0: not known yet
  std::array<double, policy::kResources> left_{};  ///< of the host, for those in care
  double cpu_busy_ = 0, memory_busy_ = 0;
  std::chrono::nanoseconds seen_at_{0};  ///< the last frame
};

}  // namespace weir::control
