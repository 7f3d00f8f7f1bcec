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
#include <set>
#include <string>
#include <vector>

#include "weir/cgroup/knob.h"
#include "weir/control/action.h"
#include "weir/control/config.h"
#include "weir/learn/model.h"
#include "weir/model/frame.h"
#include "weir/policy/tracker.h"

namespace weir::control {

class Controller {
 public:
  /// `config` outlives it.
  explicit Controller(const Config& config) : config_(&config) {}

  /// From now on this is asked, by the policies that ask one; null: none. It outlives this, or its
  /// replacement.
  void use(const learn::Model* model) { model_ = model; }

  /// What is in force when a container comes into care.
  struct Present {
    cgroup::Setting setting;  ///< of the knob, as it is
    bool resumed = false;     ///< set by a controller before this one: it goes on from there
    /// Of a policy that eases: cpu.max.burst and cpu.weight, where there are such.
    std::vector<cgroup::Setting> eases = {};
    double weight_before = 0;  ///< cpu.weight before a controller raised it; 0: none has
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

  /// What became of an action that had something to write; without it nothing of it is taken to be in force.
  void wrote(const Action& action, Moment moment);
  /// One of its eases was written, the rest is to come.
  void eased(CgroupId cgroup, const cgroup::Setting& ease, Moment moment);
  /// Someone else set a limit: within its bounds it counts from now on; else the one before is written again
  /// (a runtime that starts a container, or updates something else of it, writes all limits that it knows).
  std::vector<Action> found(CgroupId cgroup, const cgroup::Setting& setting, Moment moment);

 private:
  struct Slot {
    const Managed* managed = nullptr;
    policy::Tracker tracker;
    std::chrono::microseconds period{100'000};
    std::set<std::pair<policy::Verdict, policy::Cause>> told;  ///< what lasts and was told already
    double limit_above = 0;
    double asked = 0;                          ///< the raise that is not written yet
    std::optional<double> burst_usec, weight;  ///< of a policy that eases, where there are such
    double weight_before = 0;
  };
  struct Member {
    Subject subject;
    int priority = 0;
    std::vector<Slot> slots;
    std::optional<policy::Lost> lost;
    std::string rival;  ///< empty: nobody known
  };

  void suggest(const Member& member, const Slot& slot, Action& action) const;
  [[nodiscard]] MlMode mode_of(const Member& member) const;
  void decide(Member& member, Slot& slot, const policy::View& view, std::vector<Action>& actions);
  void count_left();
  [[nodiscard]] policy::View view_of(const Slot& slot, std::chrono::nanoseconds at, bool woken = false) const;
  static void add_eases(const Slot& slot, Action& action);
  static bool take_ease(Slot& slot, const cgroup::Setting& ease, std::chrono::nanoseconds at);
  void make_room(const Member& member, Slot& slot, std::vector<Action>& actions);
  bool is_news(Slot& slot, const policy::View& view, const policy::Decision& decision);
  static Action action_of(const Member& member, const Slot& slot, const policy::View& view,
                          const policy::Decision& decision);
  void see_host(const Sample& host);

  const Config* config_;
  const learn::Model* model_ = nullptr;
  std::map<CgroupId, Member> members_;
  std::vector<Action> looks_;
  std::optional<Sample> host_;
  double host_cpus_ = 0, host_memory_ = 0;         ///< 0: not known yet
  std::array<double, policy::kResources> left_{};  ///< of the host, for those in care
  double cpu_busy_ = 0, memory_busy_ = 0;
  std::chrono::nanoseconds seen_at_{0};  ///< the last frame
};

}  // namespace weir::control
