// SPDX-License-Identifier: MIT
#pragma once
// The values inside knob files that need more than a number: CPU lists and the keys of io.max. Pure text;
// used by the knob parser and the fake cgroupfs alike.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::cgroup {

/// "7,0-2,3" -> "0-3,7": sorted and merged, as the kernel prints it. Empty stays empty. nullopt: not a list.
std::optional<std::string> canonical_list(std::string_view text);

/// The four limits of one device in io.max; nullopt is "max".
struct IoMax {
  static constexpr std::array<std::string_view, 4> kKeys = {"rbps", "wbps", "riops", "wiops"};
  std::array<std::optional<std::uint64_t>, 4> limits;
  std::array<bool, 4> named{};  ///< which keys the text named
  bool operator==(const IoMax&) const = default;
};
enum class Sizes { plain, iec };  ///< whether bps values may be written as 4M
/// "rbps=4M wbps=max", keys separated by blanks or commas. The reason why not, where it is none.
struct IoMaxParse {
  IoMax value;
  std::string trouble;  ///< empty: parsed
};
IoMaxParse parse_io_max(std::string_view keys, Sizes sizes);
/// Only the named keys, in the kernel's order.
std::string to_text(const IoMax& value);

/// "8:0" (each part a number of at most 20 bits).
bool is_device_number(std::string_view text);

}  // namespace weir::cgroup
