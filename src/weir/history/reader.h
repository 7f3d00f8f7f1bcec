// SPDX-License-Identifier: MIT
#pragma once
// Reader: what a history directory tells, while it may still be recorded to. Nothing is read but names,
// headers and the one or two blocks that are asked for. Where the clock was set back, the same time was
// recorded twice: then the recording that began last by that clock is shown.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/history/block_codec.h"
#include "weir/history/files.h"
#include "weir/history/record.h"

namespace weir::history {

struct Moment {
  Frame now;
  /// The one recorded before it, with which now's rates can be told; nullopt where now is the first since the
  /// recording began, the host started or its clock was set.
  std::optional<Frame> before;
};

struct Found {
  std::optional<Moment> moment;                  ///< the last at or before the time; nullopt: there is none
  std::optional<std::chrono::nanoseconds> next;  ///< of the first frame after the time, if there is one
};

class Reader {
 public:
  /// Errors: absent (nothing was ever recorded there), refused (it may not be read).
  static Result<Reader> open(const std::string& directory);

  /// `time`: since the Unix epoch.
  Result<Found> frames_at(std::chrono::nanoseconds time);
  /// Of since <= time < until, in the order of their times.
  Result<std::vector<EventLine>> events_between(std::chrono::nanoseconds since,
                                                std::chrono::nanoseconds until);
  /// Records that were damaged and passed over.
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

 private:
  /// A segment, or at the end the journal.
  struct File {
    SegmentFile segment;
    Fd fd;
    std::optional<Records> records;  ///< once it was looked at
  };
  struct Place {
    std::size_t file = 0;
    const RecordPlace* record = nullptr;
  };

  explicit Reader(Fd directory) : directory_(std::move(directory)) {}
  const std::vector<RecordPlace>& records_of(File& file);
  void leave_out_what_segments_have();
  Result<std::string> read(const Place& place);
  Result<std::vector<Frame>> frames_of(const Place& place, std::size_t first, std::size_t count);
  std::optional<Place> find_block(std::chrono::nanoseconds time);
  std::optional<Place> block_before(const Place& place);
  std::optional<std::chrono::nanoseconds> first_after(std::chrono::nanoseconds time);

  Fd directory_;
  std::vector<File> files_;  ///< by number
  std::uint64_t damaged_ = 0;
};

}  // namespace weir::history
