// SPDX-License-Identifier: MIT
#include "weir/cli/top_replay.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "weir/cli/clock_text.h"
#include "weir/cli/recorded.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

/// Pictures before the one that is shown, for the lines of the past. Each costs some 20 ms to look up.
constexpr std::size_t kPictures = 12;

}  // namespace

Result<TopReplay> TopReplay::open(std::string directory, std::string_view at, nanoseconds now) {
  TopReplay replay(std::move(directory), now);
  WEIR_TRY(Recorded recorded, recorded_at(replay.directory_, at, now));
  WEIR_TRY(const bool there, replay.show(recorded.moment.now.time));
  replay.found_ = std::move(recorded.text);
  if (there) return replay;
  return std::unexpected(make_error(ErrorKind::absent, replay.directory_, "holds nothing of then any more"));
}

Result<bool> TopReplay::show(nanoseconds time) {
  // Opened anew: it may still be recorded to.
  WEIR_TRY(history::Reader reader, history::Reader::open(directory_));
  WEIR_TRY(history::Found found, reader.frames_at(time));
  if (!found.moment) return false;
  next_ = found.next;
  shown_ = found.moment->now.time;
  text_ = "recorded " + day_clock_text(shown_, now_);
  before_ = std::nullopt;
  std::vector<Frame> frames;
  for (std::optional<history::Moment> moment = std::move(found.moment);;) {
    frames.push_back(std::move(moment->now));
    if (!moment->before || frames.size() > kPictures) break;
    const nanoseconds earlier = moment->before->time;
    if (!before_) before_ = earlier;
    auto next = reader.frames_at(earlier);
    moment = next ? std::move(next->moment) : std::nullopt;
    if (!moment) break;
  }
  if (!before_)
    if (const auto earlier = reader.frames_at(shown_ - nanoseconds(1)); earlier && earlier->moment)
      before_ = earlier->moment->now.time;
  std::ranges::reverse(frames);
  model_ = TopModel();
  for (const Frame& frame : frames) model_.see(frame);
  return true;
}

Result<void> TopReplay::seek(TopSeek seek) {
  constexpr std::chrono::minutes kMinute{1};
  std::optional<nanoseconds> to;
  if (seek == TopSeek::back) to = before_;
  if (seek == TopSeek::forward) to = next_;
  if (seek == TopSeek::minute_back) to = before_ ? std::optional(shown_ - kMinute) : std::nullopt;
  if (seek == TopSeek::minute_forward && next_) to = std::max(*next_, shown_ + kMinute);
  if (!to) return {};
  WEIR_TRY(const bool there, show(*to));
  if (there) found_.clear();
  return {};
}

}  // namespace weir::cli
