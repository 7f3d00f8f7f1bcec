// SPDX-License-Identifier: MIT
#pragma once
// Trials: what a model suggested, and what came of it. Each raise of a container that asks a model is
// followed for a while, whether the model decided it or was only asked; then it is told whether it helped.
// What both, the model and step, would have lost by their limits is added up: a model that loses more than
// step is not asked any more. Pure.

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "weir/control/action.h"
#include "weir/control/need.h"

namespace weir::control {

class Trials {
 public:
  static constexpr std::chrono::seconds kOutcome{5};
  /// What is seen so soon after a raise is still of the time before it.
  static constexpr std::chrono::milliseconds kSettles{300};
  /// The newest trials by which a model is judged, and the least that it takes.
  static constexpr std::size_t kJudged = 50, kLeast = 20;

  /// A raise with a suggestion is in force now. One that is still followed ends: it was not enough.
  std::vector<Event> begin(const Action& action, Moment moment);
  /// The decisions of one look (Controller::looks()).
  std::vector<Event> see(const std::vector<Action>& looks, Moment moment);
  void ended(CgroupId cgroup);
  /// Why the model is not to be asked any more; nullopt: it may.
  [[nodiscard]] std::optional<Event> verdict(const std::string& model, Moment moment) const;
  /// Another model: what was seen of the one before counts no more.
  void start_again() {
    open_.clear();
    losses_.clear();
  }

 private:
  struct Trial {
    Action action;
    Moment begun;
    Need need;
    int looks = 0;
    double held = 0, use = 0, limit = 0;  ///< sums, and the last
  };
  struct Losses {
    double model = 0, step = 0;
  };
  using Key = std::tuple<CgroupId, policy::Resource, std::string>;
  static Key key_of(const Action& action) {
    return {action.subject.cgroup_id, action.resource, action.device};
  }
  Event finish(const Trial& trial, Moment moment);

  std::map<Key, Trial> open_;
  std::deque<Losses> losses_;
};

}  // namespace weir::control
