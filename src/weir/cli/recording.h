// SPDX-License-Identifier: MIT
#pragma once
// Recording: the history as one of the outputs of `weir watch`: opened from its options, and a warning for
// the first failure of a series. How it is kept is history/recorder.h's.

#include <string>
#include <string_view>

#include "weir/cli/command.h"
#include "weir/cli/recorded.h"
#include "weir/history/recorder.h"

namespace weir::cli {

struct RecordOptions {
  bool record = false;
  std::string directory = kHistoryDirectory, size;
};
void add_record_options(CLI::App& command, RecordOptions& options);

class Recording {
 public:
  /// `session` outlives it. Errors: invalid (the size), those of Recorder::open().
  static Result<Recording> open(Session& session, const RecordOptions& options);

  void see(const Frame& frame) { check(recorder_.add(frame)); }
  /// `line`: the event as JSON.
  void tell(std::chrono::nanoseconds time, std::string_view line) { check(recorder_.add_event(time, line)); }
  /// What is still in memory is written.
  void finish() { check(recorder_.flush()); }
  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  Recording(Session& session, history::Recorder recorder, std::string directory)
      : session_(&session), recorder_(std::move(recorder)), directory_(std::move(directory)) {}
  void check(const Result<void>& recorded);

  Session* session_;
  history::Recorder recorder_;
  std::string directory_;
  bool fails_ = false;
};

}  // namespace weir::cli
