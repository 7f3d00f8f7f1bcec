// SPDX-License-Identifier: MIT
#include "weir/cli/top_live.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "weir/base/clock.h"
#include "weir/cgroup/knob.h"
#include "weir/cli/signals.h"
#include "weir/cli/top_details.h"
#include "weir/container/match.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kNoticeFor{30};
constexpr std::chrono::seconds kLimitsFor{5};
/// Whether the terminal is still there, where nothing else wakes us.
constexpr std::chrono::seconds kLook{1};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

std::string source_text(sample::Role role) {
  switch (role) {
    case sample::Role::samples:
      return "sampling for all";
    case sample::Role::attached:
      return "frames of another weir";
    case sample::Role::alone:
      return "sampling for itself";
  }
  return {};
}

template <typename T>
std::optional<T> known(Result<T> result) {
  return result ? std::optional(std::move(*result)) : std::nullopt;
}

}  // namespace

std::vector<TopRow> shown_rows(const TopView& view, const TopState& state,
                               std::span<const container::Target> targets) {
  std::vector<TopRow> rows;
  const TopFilter filter{.targets = targets, .text = state.filter, .services = state.services};
  std::ranges::copy_if(view.rows, std::back_inserter(rows),
                       [&](const TopRow& row) { return passes(filter, row.subject.container); });
  sort_rows(rows, state.sort, state.order);
  return rows;
}

TopLive::TopLive(TopScreen& screen, OpenFrames open, const cgroup::Dir& root,
                 std::vector<container::Target> targets, TopState state)
    : screen_(screen),
      open_(std::move(open)),
      root_(&root),
      targets_(std::move(targets)),
      state_(std::move(state)),
      host_(host_name()) {}

TopLive::TopLive(TopScreen& screen, TopReplay replay, std::vector<container::Target> targets, TopState state)
    : screen_(screen),
      replay_(std::move(replay)),
      targets_(std::move(targets)),
      state_(std::move(state)),
      host_(host_name()),
      notice_(replay_->found()) {}

Result<int> TopLive::run(const Fd& signals) {
  WEIR_CHECK(open_frames());
  for (;;) {
    WEIR_CHECK(take_frames());
    if (changed_) draw();
    if (frames_)
      (void)wait_for(std::array{signals.get(), STDIN_FILENO, frames_->fd()}, frames_->again());
    else
      (void)wait_for(std::array{signals.get(), STDIN_FILENO}, SystemClock().monotonic() + kLook);
    WEIR_TRY(const Next next, take_signals(signals));
    if (next == Next::end || !TopScreen::is_open()) return 0;
    take_keys();
    if (state_.quit) return 0;
    WEIR_CHECK(take_seek());
  }
}

Result<void> TopLive::take_seek() {
  const TopSeek seek = std::exchange(state_.seek, TopSeek::none);
  if (!replay_ || seek == TopSeek::none) return {};
  WEIR_CHECK(replay_->seek(seek));
  notice_ = replay_->found();
  changed_ = true;
  return {};
}

Result<void> TopLive::open_frames() {
  if (replay_) return {};
  WEIR_TRY(sample::Frames frames, open_());
  frames_.emplace(std::move(frames));
  frames_begun_ = false;
  return {};
}

Result<TopLive::Next> TopLive::take_signals(const Fd& signals) {
  while (const auto signal = take_signal(signals)) {
    changed_ = true;
    switch (*signal) {
      case SIGWINCH:
        screen_.resize();
        break;
      case SIGTSTP:
        frames_.reset();
        screen_.suspend();
        WEIR_CHECK(open_frames());
        break;
      case SIGCONT:
        screen_.restore();
        break;
      default:
        return Next::end;
    }
  }
  return Next::go_on;
}

void TopLive::take_keys() {
  while (const auto key = screen_.read_key()) {
    press(state_, *key, extent());
    changed_ = true;
    if (state_.quit) return;
    refresh();
  }
}

Result<void> TopLive::take_frames() {
  if (!frames_) return {};
  WEIR_TRY(const Frame* frame, frames_->next());
  for (sample::RosterChange& change : frames_->take_changes()) {
    if (!frames_begun_ || change.kind == sample::RosterChange::Kind::renamed) continue;
    const bool started = change.kind == sample::RosterChange::Kind::started;
    model_.tell({.kind = started ? EventKind::container_started : EventKind::container_ended,
                 .time = change.time,
                 .subject = std::move(change.subject),
                 .details = {}});
    changed_ = true;
  }
  frames_begun_ = true;
  const nanoseconds now = SystemClock().monotonic();
  for (std::string& note : frames_->take_notes()) {
    notice_ = std::move(note);
    notice_at_ = now;
    changed_ = true;
  }
  if (!notice_.empty() && now - notice_at_ > kNoticeFor) notice_.clear();
  if (frame != nullptr && model_.see(*frame, state_.paused ? TopModel::Pace::paused : TopModel::Pace::runs))
    changed_ = true;
  return {};
}

TopExtent TopLive::extent() const {
  TopExtent extent{.rows = {}, .page = page_lines(state_, screen_.size()), .lines = 0};
  for (const TopRow& row : rows_) extent.rows.push_back(row.subject.cgroup_id);
  if (state_.page == TopPage::details) extent.lines = details_.size();
  if (state_.page == TopPage::help) extent.lines = help_lines().size();
  return extent;
}

/// Through the levels above, so not with every picture.
void TopLive::read_limits() {
  if (root_ == nullptr) return;
  const nanoseconds now = SystemClock().monotonic();
  const CgroupId cgroup = chosen_->subject.cgroup_id;
  if (held_of_ == cgroup && now - held_at_ < kLimitsFor) return;
  held_of_ = cgroup;
  held_at_ = now;
  const std::string& path = chosen_->subject.container.cgroup;
  held_ = {.cpu_max = known(cgroup::effective_cpu_max(*root_, path)),
           .memory_high = known(cgroup::effective_memory(*root_, path, cgroup::Knob::memory_high)),
           .memory_max = known(cgroup::effective_memory(*root_, path, cgroup::Knob::memory_max)),
           .memory_swap_max = {},
           .pids_max = known(cgroup::effective_pids_max(*root_, path))};
}

/// What is shown, after the user or the host changed something.
void TopLive::refresh() {
  const TopView& view = model().view();
  rows_ = shown_rows(view, state_, targets_);
  if (state_.page == TopPage::details && state_.selected) {
    const auto found = std::ranges::find_if(
        view.rows, [&](const TopRow& row) { return row.subject.cgroup_id == *state_.selected; });
    chosen_ended_ = found == view.rows.end();
    if (!chosen_ended_) {
      chosen_ = *found;
      read_limits();
    }
  }
  details_.clear();
  if (state_.page == TopPage::details && chosen_) {
    std::vector<Container> all;
    for (const TopRow& row : view.rows) all.push_back(row.subject.container);
    const CgroupId cgroup = chosen_->subject.cgroup_id;
    const std::vector<std::string> events = model().events_of(cgroup);
    details_ = details_lines({.row = *chosen_,
                              .ended = chosen_ended_,
                              .held = held_,
                              .track = model().history().of(cgroup),
                              .events = events,
                              .target = container::paste_text(chosen_->subject.container, all)},
                             screen_.size().columns, screen_.charset());
  }
  settle(state_, extent());
}

void TopLive::draw() {
  refresh();
  changed_ = false;
  screen_.show(draw_top(state_,
                        {.view = model().view(),
                         .rows = rows_,
                         .history = model().history(),
                         .host = host_,
                         .source = frames_ ? source_text(frames_->role()) : replay_->text(),
                         .notice = notice_,
                         .last_event = model().last_event(),
                         .events = model().events(),
                         .details = details_,
                         .details_of = chosen_ ? chosen_->subject.container.name : std::string()},
                        screen_.size(), screen_.charset()));
}

}  // namespace weir::cli
