// SPDX-License-Identifier: MIT
#pragma once
// The files of a history directory: segments (segment-00000042-20261122T031158Z: its number, and the second
// from which on it tells) and the journal. Listing is for anyone who may read them; appending for the one
// recorder.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::history {

inline constexpr const char* kJournal = "journal";

struct SegmentFile {
  std::uint64_t number = 0;
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch: nothing in it is earlier
  std::uint64_t size = 0;
  [[nodiscard]] std::string name() const;
};
/// False where it is no segment's name.
bool parse_segment_name(std::string_view name, SegmentFile& out);
/// By number. Errors: those of reading the directory.
Result<std::vector<SegmentFile>> list_segments(int directory);
/// For reading; never through a link, never anything but a regular file.
Result<Fd> open_file(int directory, const std::string& name);
std::uint64_t size_of(const Fd& file);

/// A file that grows by whole pieces.
class AppendFile {
 public:
  /// A new one, 0640. Errors: failed (it is there already, a full disk).
  static Result<AppendFile> create(int directory, const std::string& name);
  /// All of it in one write, or nothing. Errors: failed (a full disk).
  Result<void> append(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  AppendFile(Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  Fd fd_;
  std::string name_;
  std::uint64_t size_ = 0;
};

}  // namespace weir::history
