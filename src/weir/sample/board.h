// SPDX-License-Identifier: MIT
#pragma once
// Board: the frames of this host's one sampler, in <run_dir>/frames, which others map read-only. The writer
// never waits for readers: it goes round a few slots, each with a sequence number that is odd while it is
// written, and a reader that was overtaken reads again. Who may write is decided elsewhere (frames.h).

#include <memory>
#include <optional>
#include <string>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/model/frame.h"

namespace weir::sample {

inline constexpr std::string_view kBoardFile = "frames";

/// A mapping of the board's file.
class BoardMap;

class Board {
 public:
  /// Makes <run_dir>/frames anew. `run_dir` is an open directory that nobody else can write.
  static Result<Board> create(const Fd& run_dir);
  Board(Board&&) noexcept;
  Board& operator=(Board&&) noexcept;
  /// Readers are told that no more frames come.
  ~Board();

  /// Errors: failed, when a larger file is needed and cannot be made.
  Result<void> publish(const Frame& frame);

 private:
  Board(int directory, std::unique_ptr<BoardMap> map);
  int directory_;  ///< of who made it
  std::unique_ptr<BoardMap> map_;
  std::string bytes_;
  std::uint64_t published_ = 0;
};

class BoardReader {
 public:
  /// Errors: absent (nobody samples), refused (no right to read it, or others could have written it).
  static Result<BoardReader> open(const std::string& run_dir);
  BoardReader(BoardReader&&) noexcept;
  BoardReader& operator=(BoardReader&&) noexcept;
  ~BoardReader();

  /// The newest frame, if it is newer than the last that this returned. Errors: gone (the writer ended, or
  /// went on in another file: open again), failed (damaged).
  Result<std::optional<Frame>> read();

 private:
  explicit BoardReader(std::unique_ptr<BoardMap> map);
  std::unique_ptr<BoardMap> map_;
  std::uint64_t seen_ = 0;
};

}  // namespace weir::sample
