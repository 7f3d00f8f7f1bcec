// SPDX-License-Identifier: MIT
#include "weir/cli/recording.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "weir/base/text.h"

namespace weir::cli {

void add_record_options(CLI::App& command, RecordOptions& options) {
  command.add_flag("--record", options.record, "Keep frames and events: weir events, weir top --at");
  command.add_option("--record-dir", options.directory, "Where they are kept")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--record-size", options.size, "The oldest go at this size (default 256M)")
      ->type_name("SIZE");
}

Result<Recording> Recording::open(Session& session, const RecordOptions& options) {
  history::RecorderOptions recorder_options;
  if (!options.size.empty()) {
    WEIR_TRY(const Bytes size, parse_bytes(options.size));
    recorder_options.most_bytes = size.count();
  }
  WEIR_TRY(history::Recorder recorder, history::Recorder::open(options.directory, recorder_options));
  return Recording(session, std::move(recorder), options.directory);
}

void Recording::check(const Result<void>& recorded) {
  if (!recorded && !fails_)
    warn(*session_, fmt::format("the history is not written: {}", recorded.error().message()));
  fails_ = !recorded;
}

}  // namespace weir::cli
