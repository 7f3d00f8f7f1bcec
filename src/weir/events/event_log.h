// SPDX-License-Identifier: MIT
#pragma once
// EventLog: lines appended to a file, each whole or not at all, in one write(). The file is rotated by its
// size (events.jsonl, events.jsonl.1, …); one that someone else rotated (renamed, removed, truncated) is
// noticed before the next line. What a full disk swallowed is counted, and told in the log itself as soon as
// there is room. One writer. Lines survive a kill of the writer, not a crash of the kernel.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::events {

struct LogOptions {
  std::uint64_t most_bytes = std::uint64_t{16} << 20;  ///< of one file; larger: the next is begun
  int kept = 4;                                        ///< rotated files that are kept beside it
};

class EventLog {
 public:
  /// Makes the file 0640, and its folder where that is missing. Errors: refused where the folder can be
  /// written by others (someone could put a link in its place), failed.
  static Result<EventLog> open(const std::string& path, LogOptions options = {});

  /// `line` without its newline. Errors: failed (a full disk; it is counted as lost, and tried no more).
  Result<void> append(std::string_view line);
  /// Lines that could not be written and that the log does not know of yet.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  EventLog(std::string path, Fd directory, std::string name, LogOptions options);
  Result<void> open_file();
  Result<void> follow();
  void rotate();
  Result<void> write_line(std::string_view line);

  std::string path_;
  Fd directory_;
  std::string name_;
  LogOptions options_;
  Fd file_;
  std::uint64_t size_ = 0;
  std::uint64_t lost_ = 0;
};

/// Every line of a log and of what was rotated from it, oldest first. Errors: absent (there is no such log),
/// those of reading it.
Result<void> read_log(const std::string& path, const std::function<void(std::string_view line)>& take);

}  // namespace weir::events
