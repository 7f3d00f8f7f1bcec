// SPDX-License-Identifier: MIT
#pragma once
// A record: what a history file is made of, one after the other. A header of fixed size, with a checksum of
// its own, says what it holds and of which time, so that a reader can pass it by; the rest is compressed
// (zstd, with its checksum). A record that was cut off anywhere is told from a whole one.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"

namespace weir::history {

enum class RecordKind : std::uint8_t { subjects = 1, frames = 2, events = 3 };

struct RecordHeader {
  RecordKind kind = RecordKind::frames;
  std::uint32_t stored = 0, raw = 0;  ///< bytes that follow, and what they unpack to
  std::uint64_t first = 0;  ///< the number of the first: in the file (subjects), since ever (others)
  std::uint32_t count = 0;
  std::chrono::nanoseconds first_time{0},
      last_time{0};  ///< since the Unix epoch, the earliest and the latest
};
inline constexpr std::size_t kHeaderBytes = 48;
inline constexpr std::uint32_t kMostRaw = 64U << 20U;

/// How hard to press: numbers are noise once they are coded, text is not.
enum class Press { numbers, text };

/// A whole record. `pieces` are compressed one after the other, each with its own statistics. Failed: larger
/// than kMostRaw.
Result<std::string> make_record(RecordHeader header, std::span<const std::string> pieces, Press press);

/// Failed: no header, or not a sound one.
Result<RecordHeader> parse_header(std::string_view bytes);
/// What follows a header, unpacked. Failed: its bytes are damaged.
Result<std::string> unpack_record(const RecordHeader& header, std::string_view stored);

struct RecordPlace {
  RecordHeader header;
  std::uint64_t offset = 0;  ///< of what follows the header
};
struct Records {
  std::vector<RecordPlace> places;
  std::uint64_t end = 0;  ///< of the last sound one; what is behind it is damaged or was cut off
};
/// The headers of a file of `size` bytes, by few small reads; whole records only.
Records scan_records(int fd, std::uint64_t size);
/// Reads and unpacks one. Failed: damaged, or it cannot be read.
Result<std::string> read_record(int fd, const RecordPlace& place);

struct EventLine {
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
  std::string line;                  ///< opaque
  bool operator==(const EventLine&) const = default;
};
std::string encode_lines(std::span<const EventLine> lines);
Result<std::vector<EventLine>> decode_lines(std::string_view bytes);

}  // namespace weir::history
