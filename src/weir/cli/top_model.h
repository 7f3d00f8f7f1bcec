// SPDX-License-Identifier: MIT
#pragma once
// What `weir top` knows: takes frames in as they come and keeps the present view, the last minutes and what
// happened. Where frames come from is not its business.

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "weir/cli/top_view.h"
#include "weir/events/detector.h"
#include "weir/model/event.h"
#include "weir/model/frame.h"

namespace weir::cli {

class TopModel {
 public:
  /// Whether there is something new to show. The first frame is shown without rates; while paused what
  /// happens is noted and the view stays.
  enum class Pace { runs, paused };
  bool see(const Frame& frame, Pace pace = Pace::runs);
  void tell(const Event& event);

  [[nodiscard]] const TopView& view() const { return view_; }
  [[nodiscard]] const TopHistory& history() const { return history_; }
  /// Two frames have been seen: rates are known.
  [[nodiscard]] bool has_rates() const { return view_.span.count() > 0; }
  [[nodiscard]] std::size_t events() const { return told_; }
  /// "": none yet. terminal_safe, as those below.
  [[nodiscard]] std::string last_event() const {
    return events_.empty() ? std::string() : events_.back().text;
  }
  [[nodiscard]] std::vector<std::string> events_of(CgroupId cgroup) const;

 private:
  static constexpr std::size_t kMostEvents = 500;
  struct Told {
    CgroupId cgroup;  ///< 0: the host
    std::string text;
  };
  std::optional<Frame> before_;
  TopView view_;
  TopHistory history_;
  events::Detector detector_;
  std::deque<Told> events_;
  std::size_t told_ = 0;
};

}  // namespace weir::cli
