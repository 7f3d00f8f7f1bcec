// SPDX-License-Identifier: MIT
#pragma once
// The kernel's "key value" files, read for a few keys and without an allocation: cpu.stat, memory.stat,
// memory.events, cgroup.events, and the "key=value" fields of *.pressure and io.stat. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weir::cgroup {

/// Takes a decimal number from the front of `text`; nullopt where there is none, or more than 64 bits.
constexpr std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  std::size_t n = 0;
  for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n) {
    const auto digit = static_cast<std::uint64_t>(text[n] - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

/// Calls found(index, value) for each of `keys` that has a line "key value". The kernel's order is tried
/// first, so keys in that order cost one comparison each. False: a line is not of that form.
template <typename Found>
constexpr bool scan_flat(std::string_view text, std::span<const std::string_view> keys, Found found) {
  std::size_t next = 0;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    if (blank == 0 || blank == std::string_view::npos) return false;
    const std::string_view key = text.substr(0, blank);
    text.remove_prefix(blank + 1);
    const auto value = take_number(text);
    if (!value || (!text.empty() && text.front() != '\n')) return false;
    if (!text.empty()) text.remove_prefix(1);
    for (std::size_t tried = 0; tried < keys.size(); ++tried) {
      const std::size_t index = next + tried < keys.size() ? next + tried : next + tried - keys.size();
      if (keys[index] != key) continue;
      found(index, *value);
      next = index + 1 == keys.size() ? 0 : index + 1;
      break;
    }
  }
  return true;
}

}  // namespace weir::cgroup
