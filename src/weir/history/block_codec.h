// SPDX-License-Identifier: MIT
#pragma once
// A block: some minutes of frames as bytes, and back (docs/reference/history.md has the format). Every value
// is kept as it was read; read times are rounded to kReadTick. Metrics and files are kept by their names, so
// that a Weir with more of them reads older blocks. Pure: no file, no compression (record.h does that).

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/history/subject_table.h"
#include "weir/model/frame.h"

namespace weir::history {

/// A rate over a second is off by at most a ten-thousandth.
inline constexpr std::chrono::nanoseconds kReadTick = std::chrono::microseconds(100);
inline constexpr std::size_t kMostFrames = 4096;

/// What one row of a block is made of: the values, how each is known (two bits each), which files were read.
inline constexpr std::size_t kKnownInWord = 32;
inline constexpr std::size_t kKnownWords = (kMetrics + kKnownInWord - 1) / kKnownInWord;
inline constexpr std::size_t kColumns = kMetrics + kKnownWords + 1;

/// What a frame is besides its samples.
struct FrameStamp {
  std::uint64_t number = 0, generation = 0;
  std::chrono::nanoseconds at{0}, time{0};
};

/// Takes frames one by one, in the order of their time, and holds them as small differences.
class BlockBuilder {
 public:
  /// Ignored beyond kMostFrames.
  void add(const Frame& frame);
  [[nodiscard]] std::size_t frames() const { return frames_.size(); }
  /// Memory that the rows take.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::chrono::nanoseconds first_time() const { return frames_.front().time; }
  [[nodiscard]] std::chrono::nanoseconds last_time() const { return frames_.back().time; }

  /// The block, in pieces of one nature each, which pack best when they are compressed apart. Subjects are
  /// entered in `table`.
  [[nodiscard]] std::vector<std::string> finish(SubjectTable& table) const;
  void clear() { *this = BlockBuilder(); }

 private:
  using Row = std::array<std::uint64_t, kColumns>;
  /// The frames in a row that a subject is in.
  struct Stint {
    bool host = false;
    Subject subject;
    std::size_t first = 0, count = 0;
    Row before{};
    std::string rows;  ///< varints: each row less the one before
  };

  std::size_t stint_of(const Subject& subject);
  void add_row(std::size_t stint, const Sample& sample, std::int64_t at);

  std::vector<FrameStamp> frames_;
  std::vector<Stint> stints_;
  std::map<CgroupId, std::size_t> open_;  ///< the last stint of each
  std::vector<std::size_t> order_;        ///< of the last frame's subjects
  std::string runs_, jumps_;              ///< of the read times: how many do not change, and by what the next
  std::uint64_t run_ = 0;
  std::int64_t read_ = 0;  ///< the last read, in ticks since its frame began
  std::size_t bytes_ = 0;
};

/// Those of all frames of a block. Failed: it is none.
Result<std::vector<FrameStamp>> decode_stamps(std::string_view block);
/// `count` frames from the one at `first` on, fewer where there are not as many.
Result<std::vector<Frame>> decode_frames(std::string_view block, const SubjectTable& table,
                                         std::size_t first = 0, std::size_t count = kMostFrames);

}  // namespace weir::history
