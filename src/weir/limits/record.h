// SPDX-License-Identifier: MIT
#pragma once
// Record: a Change as one line of the journal's text, and back. A line is
//
//   CHECKSUM <tab> w2 <tab> boot <tab> head <tab> epoch <tab> … <newline>
//
// with the CRC-32 of all that follows the first tab in eight hex digits, and control characters and
// backslashes of the fields as \xNN. So a line is whole or known not to be, and a torn one costs only itself:
// the next begins after the next newline.

#include <optional>
#include <string>
#include <string_view>

#include "weir/limits/change.h"

namespace weir::limits {

/// A line longer than this is never written and never believed.
inline constexpr std::size_t kLongestRecord = std::size_t{64} << 10;

struct Record {
  std::string boot;  ///< boot id of the kernel that the change was made in
  std::uint64_t head =
      0;  ///< the greatest epoch in the journal so far: the last record alone tells the next one
  Change change;
  bool operator==(const Record&) const = default;
};

/// The line with its newline.
std::string encode(const Record& record);
/// The same, added to `out`; copies nothing.
void encode(std::string_view boot, std::uint64_t head, const Change& change, std::string& out);
/// One line without its newline; nullopt if it is damaged or of another format.
std::optional<Record> decode(std::string_view line);

}  // namespace weir::limits
