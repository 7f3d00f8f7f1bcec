// SPDX-License-Identifier: MIT
#pragma once
// Text in, values out: strict parsing of the small texts that the kernel and people write. Never throws; a
// parse that does not consume everything is an error.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir {

std::string_view trim(std::string_view text);
/// Splits at every `separator`; empty pieces are kept.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Splits at runs of blanks and newlines; no empty pieces.
std::vector<std::string_view> words(std::string_view text);

/// Decimal digits only; no sign, no blank, no overflow.
std::optional<std::uint64_t> parse_u64(std::string_view text);
/// Finite decimal number, no exponent, no sign: "1.5".
std::optional<double> parse_decimal(std::string_view text);
/// "512M", "1.5GiB", "4096", "64k": IEC units (K M G T, powers of 1024), optional "iB"/"B", any case.
Result<Bytes> parse_bytes(std::string_view text);
/// "30s", "500ms", "100us", "2m", "1h"; a bare number is refused.
Result<std::chrono::microseconds> parse_duration(std::string_view text);

/// "512M", "1.5G", "900K", "17": for people; at most 4 significant characters and the unit.
std::string format_bytes(Bytes bytes);
/// "3.2 ms", "120 us", "45.0 s", "2 min": for people.
std::string format_duration(std::chrono::nanoseconds duration);
/// "2026-01-31T12:03:04.000123Z": RFC 3339 in UTC, with microseconds; for machines.
std::string format_utc(std::chrono::nanoseconds since_epoch);

/// How many edits (insert, delete, replace, swap of neighbours) turn a into b: for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidates nearest to `word`, best first, at most `count`, none further than a third of its length.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t count = 3);

/// Shell-style match with * and ?; everything else is literal.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace weir
