// SPDX-License-Identifier: MIT
#pragma once
// Recorder: frames and events go in, a history directory keeps them. Frames are gathered to a block of five
// minutes, since long blocks pack best; until it is written they are in the journal: frames within ten
// seconds, events at once. So a kill loses the last ten seconds of frames and no event. A full disk loses
// what does not fit into memory meanwhile (ten minutes); that is counted, and told in the history as soon as
// there is room.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/history/block_codec.h"
#include "weir/history/record.h"
#include "weir/history/ring.h"
#include "weir/history/subject_table.h"
#include "weir/model/frame.h"

namespace weir::history {

struct RecorderOptions {
  std::uint64_t most_bytes = std::uint64_t{256} << 20;
  /// Frames that follow each other faster are left out.
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
};

class Recorder {
 public:
  /// Makes the directory, and brings home what a killed recorder left in its journal. Errors: those of
  /// Ring::open().
  static Result<Recorder> open(const std::string& directory, RecorderOptions options = {});

  /// Errors: failed (a full disk); tried again later.
  Result<void> add(const Frame& frame);
  /// `line`: the event as JSON, without its newline.
  Result<void> add_event(std::chrono::nanoseconds time, std::string_view line);
  /// Writes what is in memory: at the end.
  Result<void> flush();

  /// Frames and events that were lost, and that the history does not tell of yet.
  [[nodiscard]] std::uint64_t lost() const { return lost_frames_ + lost_events_; }

 private:
  Recorder(Ring ring, RecorderOptions options) : ring_(std::move(ring)), options_(options) {}
  void find_numbers();
  Result<void> bring_home();
  Result<void> journal_frames();
  /// Subjects of `table` from the `known`th on, events, and a block: each where there is one.
  Result<std::string> records(const BlockBuilder& block, std::span<const EventLine> events,
                              SubjectTable& table, std::uint64_t first_frame,
                              std::uint64_t first_event) const;
  Result<void> write_block();
  Result<void> write_if_full();
  void lose();
  void forget();
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] std::size_t most_block_bytes() const;

  Ring ring_;
  RecorderOptions options_;
  BlockBuilder block_, unsafe_;  ///< unsafe_: those of the block that are not in the journal yet
  std::vector<EventLine> events_;
  std::size_t event_bytes_ = 0;
  SubjectTable table_, journal_table_;
  std::uint64_t next_frame_ = 0, next_event_ = 0;  ///< of what is not in a segment yet
  std::uint64_t lost_frames_ = 0, lost_events_ = 0;
  std::chrono::nanoseconds last_at_{0}, last_time_{0}, due_{0}, safe_at_{0}, failed_at_{0};
};

}  // namespace weir::history
