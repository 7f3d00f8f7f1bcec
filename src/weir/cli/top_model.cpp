// SPDX-License-Identifier: MIT
#include "weir/cli/top_model.h"

#include <utility>

#include "weir/cli/event_text.h"

namespace weir::cli {

bool TopModel::see(const Frame& frame, Pace pace) {
  for (const Event& event : detector_.see(frame)) tell(event);
  if (before_ && (pace == Pace::paused || !is_next(*before_, frame))) return false;
  TopView view = make_view(before_ ? *before_ : frame, frame);
  carry_over(view_, view);
  view_ = std::move(view);
  if (before_) history_.see(view_);
  before_ = frame;
  return true;
}

void TopModel::tell(const Event& event) {
  ++told_;
  events_.push_back(
      {.cgroup = event.subject ? event.subject->cgroup_id : CgroupId(0), .text = event_text(event)});
  if (events_.size() > kMostEvents) events_.pop_front();
}

std::vector<std::string> TopModel::events_of(CgroupId cgroup) const {
  std::vector<std::string> texts;
  for (const Told& told : events_)
    if (told.cgroup == cgroup) texts.push_back(told.text);
  return texts;
}

}  // namespace weir::cli
