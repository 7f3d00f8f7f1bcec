// SPDX-License-Identifier: MIT
#pragma once
// Samples: what was decided by, and what came of it, as rows to learn from and to replay (docs/reference/
// samples.md). A row is made when its outcome is over, five seconds after the decision, and when it is known
// how much it needed (control/need.h), three seconds later at most. Nothing of that was known to the
// decision. An outcome that never came (the container ended) makes no row. Pure: lines come out.

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "weir/control/action.h"
#include "weir/control/need.h"

namespace weir::control {

class Samples {
 public:
  static constexpr int kSchema = 1;
  static constexpr std::chrono::seconds kOutcome{5}, kLater{3};
  /// From one row of a resource of a container to the next; a decision that changes something is always one.
  static constexpr std::chrono::milliseconds kPause{950};

  /// The decisions of one look or wake (Controller::looks()).
  void see(const std::vector<Action>& looks, Moment moment);
  void ended(CgroupId cgroup);
  /// Rows that are complete, one JSON object each, without newlines.
  std::vector<std::string> take() { return std::exchange(lines_, {}); }

 private:
  struct Row {
    Action action;
    Moment moment;
    Need need;
    int looks = 0;
    double use = 0, most_use = 0, held = 0, most_held = 0;  ///< of the outcome
    double limit = 0;                                       ///< at its end
    bool over = false;                                      ///< but for what is needed, perhaps
    void see(const policy::View& look, std::chrono::nanoseconds at);
    [[nodiscard]] bool is_known(std::chrono::nanoseconds at) const {
      return over && (!need.is_held() || at - moment.at >= kOutcome + kLater);
    }
  };
  using Key = std::tuple<CgroupId, policy::Resource, std::string>;
  static std::string line_of(const Row& row);

  std::map<Key, std::deque<Row>> open_;
  std::vector<std::string> lines_;
};

}  // namespace weir::control
