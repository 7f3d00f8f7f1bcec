// SPDX-License-Identifier: MIT
#pragma once
// TopReplay: what `weir top --at` shows: a moment of the history, and from there back and forth. Each moment
// is a TopModel as that of a live one, with the last pictures before it.

#include <chrono>
#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/cli/top_keys.h"
#include "weir/cli/top_model.h"
#include "weir/history/reader.h"

namespace weir::cli {

class TopReplay {
 public:
  /// `at`: as typed (when.h). Errors: invalid (no time), absent (no history, or none before that time).
  static Result<TopReplay> open(std::string directory, std::string_view at, std::chrono::nanoseconds now);

  /// One frame, or a minute; at either end of what was recorded nothing moves.
  Result<void> seek(TopSeek seek);
  [[nodiscard]] TopModel& model() { return model_; }
  /// "recorded 03:12:00"
  [[nodiscard]] const std::string& text() const { return text_; }
  /// The same as a sentence, with how far that is from what was asked for.
  [[nodiscard]] const std::string& found() const { return found_; }

 private:
  TopReplay(std::string directory, std::chrono::nanoseconds now)
      : directory_(std::move(directory)), now_(now) {}
  /// Shows the last moment at or before `time`. False: there is none.
  Result<bool> show(std::chrono::nanoseconds time);

  std::string directory_;
  std::chrono::nanoseconds now_;
  TopModel model_;
  std::string text_, found_;
  std::chrono::nanoseconds shown_{0};
  std::optional<std::chrono::nanoseconds> before_, next_;
};

}  // namespace weir::cli
