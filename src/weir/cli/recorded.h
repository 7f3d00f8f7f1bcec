// SPDX-License-Identifier: MIT
#pragma once
// What commands that tell of another time share: where the history is, the two frames of a time, and how far
// off they are.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cli/ls_rows.h"
#include "weir/container/target.h"
#include "weir/history/reader.h"
#include "weir/model/host_paths.h"

namespace CLI {
class App;
}

namespace weir::cli {

inline constexpr const char* kHistoryDirectory = "logs/history";
/// --record-dir, for those that read it; empty until it is given.
void add_history_option(CLI::App& command, std::string& directory);
/// What was given; else kHistoryDirectory, or where that is not there the service's, if that is.
std::string history_directory(const std::string& given, const HostPaths& paths);

struct Recorded {
  std::chrono::nanoseconds asked{0};  ///< since the Unix epoch
  history::Moment moment;
  /// The time of the frames; and where that is more than two seconds off, what was recorded around the time
  /// that was asked for: "recorded at 03:11:58, nearest to 03:12:40; nothing was until 03:30:00".
  std::string text;
};
/// `at`: as typed (when.h). Errors: invalid (no time), absent (no history, or none before that time),
/// refused.
Result<Recorded> recorded_at(const std::string& directory, std::string_view at, std::chrono::nanoseconds now);

/// Whether a container that may be long gone is meant by one of `targets`; all are by none. pid: is refused
/// by check_recorded_targets(), since pids are used again.
bool is_meant(const std::vector<container::Target>& targets, const Container& container);
Result<std::vector<container::Target>> parse_recorded_targets(const std::vector<std::string>& texts);

/// What `weir ls` shows, from what frames have: the limit that holds without the level that holds it,
/// pressure as the share of the second before instead of avg10.
std::vector<Snapshot> snapshots_of(const history::Moment& moment,
                                   const std::vector<container::Target>& targets);

}  // namespace weir::cli
