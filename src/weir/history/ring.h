// SPDX-License-Identifier: MIT
#pragma once
// Ring: the segments of one history directory and its journal, never larger together than was said: the
// oldest segment goes first. One process writes (a lock says so). Nothing is fsynced: what was written
// survives a kill of the writer, not a crash of the kernel.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/history/files.h"

namespace weir::history {

inline constexpr std::uint64_t kLeastRing = std::uint64_t{1} << 20;

class Ring {
 public:
  /// Makes the directory where it is missing. Errors: refused (others can write it, another process records
  /// there), invalid (`most_bytes` under kLeastRing), failed.
  static Result<Ring> open(const std::string& path, std::uint64_t most_bytes);

  [[nodiscard]] int directory() const { return directory_.get(); }
  [[nodiscard]] const std::deque<SegmentFile>& segments() const { return segments_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_ + (journal_ ? journal_->size() : 0); }
  [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }

  /// Whether the next append() begins a segment.
  [[nodiscard]] bool is_at_segment_end() const;
  void end_segment() { current_.reset(); }
  /// Whole records in one write. `time`: the earliest in them. Errors: failed (a full disk); nothing was
  /// written then.
  Result<void> append(std::string_view records, std::chrono::nanoseconds time);

  Result<void> append_to_journal(std::string_view records);
  /// An empty one takes its place; who has it open still reads the old one.
  Result<void> restart_journal();

 private:
  Ring(Fd directory, Fd lock, std::uint64_t most_bytes)
      : directory_(std::move(directory)), lock_(std::move(lock)), most_bytes_(most_bytes) {}
  Result<void> make_room(std::uint64_t bytes);

  Fd directory_, lock_;
  std::uint64_t most_bytes_;
  std::deque<SegmentFile> segments_;
  std::uint64_t bytes_ = 0;  ///< of all segments
  std::uint64_t next_ = 1;
  std::optional<AppendFile> current_, journal_;
};

}  // namespace weir::history
