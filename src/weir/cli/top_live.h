// SPDX-License-Identifier: MIT
#pragma once
// TopLive: `weir top` on a terminal: frames, keys and signals in, pictures out, until somebody ends it. The
// frames are those of now, or of a history.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/reading.h"
#include "weir/cli/top_draw.h"
#include "weir/cli/top_keys.h"
#include "weir/cli/top_model.h"
#include "weir/cli/top_replay.h"
#include "weir/cli/top_screen.h"
#include "weir/sample/frames.h"

namespace weir::cli {

/// The rows of a view that the user wants to see, in his order.
std::vector<TopRow> shown_rows(const TopView& view, const TopState& state,
                               std::span<const container::Target> targets);

class TopLive {
 public:
  /// Frames are opened anew after Ctrl-Z: one that is stopped must not be the one that samples for others.
  using OpenFrames = std::function<Result<sample::Frames>()>;
  /// `screen` and `root`, and what `open` needs, outlive it.
  TopLive(TopScreen& screen, OpenFrames open, const cgroup::Dir& root, std::vector<container::Target> targets,
          TopState state);
  /// Of the past.
  TopLive(TopScreen& screen, TopReplay replay, std::vector<container::Target> targets, TopState state);
  /// Until a key or a signal ends it, or the terminal is gone. `signals` has SIGWINCH, SIGTSTP and SIGCONT
  /// too. Returns the exit code.
  Result<int> run(const Fd& signals);

 private:
  enum class Next { go_on, end };
  Result<Next> take_signals(const Fd& signals);
  Result<void> open_frames();
  void take_keys();
  Result<void> take_frames();
  Result<void> take_seek();
  void read_limits();
  [[nodiscard]] TopModel& model() { return replay_ ? replay_->model() : model_; }
  [[nodiscard]] TopExtent extent() const;
  void refresh();
  void draw();

  TopScreen& screen_;
  OpenFrames open_;
  std::optional<sample::Frames> frames_;  ///< nullopt: replay_ is shown
  std::optional<TopReplay> replay_;
  bool frames_begun_ = false;  ///< those that were there at the first look have started before
  const cgroup::Dir* root_ = nullptr;
  std::vector<container::Target> targets_;
  TopState state_;
  TopModel model_;
  std::string host_, notice_;
  std::chrono::nanoseconds notice_at_{0};
  std::vector<TopRow> rows_;
  bool changed_ = true;  ///< since the last picture
  /// Of the container on the details page.
  std::optional<TopRow> chosen_;
  bool chosen_ended_ = false;
  cgroup::HeldLimits held_;
  std::optional<CgroupId> held_of_;
  std::chrono::nanoseconds held_at_{0};
  std::vector<TopLine> details_;
};

}  // namespace weir::cli
