// SPDX-License-Identifier: MIT
#pragma once
// A strict reader of the Prometheus text format, for tests: says what is wrong with a text, or "". One line
// after the other; families must be contiguous, with HELP and TYPE in front and no series twice.

#include <set>
#include <string>
#include <string_view>

namespace weir::testing {

inline bool is_name(std::string_view text) {
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789") ==
             std::string_view::npos;
}

/// Takes `{a="b",…}` from the front; false where it is not that.
inline bool take_labels(std::string_view& rest) {
  if (!rest.starts_with('{')) return true;
  std::set<std::string_view> names;
  do {
    rest.remove_prefix(1);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !is_name(rest.substr(0, equals)) ||
        !names.insert(rest.substr(0, equals)).second || !rest.substr(equals + 1).starts_with('"'))
      return false;
    rest.remove_prefix(equals + 2);
    while (!rest.empty() && rest.front() != '"') {
      if (static_cast<unsigned char>(rest.front()) < 0x20) return false;
      if (rest.front() == '\\' &&
          (rest.size() < 2 || std::string_view("\\\"n").find(rest[1]) == std::string_view::npos))
        return false;
      rest.remove_prefix(rest.front() == '\\' ? 2 : 1);
    }
    if (rest.empty()) return false;
    rest.remove_prefix(1);
  } while (rest.starts_with(','));
  if (!rest.starts_with('}')) return false;
  rest.remove_prefix(1);
  return true;
}

/// Of the format 0.0.4.
inline std::string exposition_fault(std::string_view text) {
  std::set<std::string_view> families, series;
  std::string_view helped, typed;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return "the last line has no end";
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto wrong = [&](const char* why) { return std::string(why) + ": " + std::string(line); };
    if (line.starts_with("# HELP ")) {
      helped = line.substr(7, line.find(' ', 7) - 7);
      if (!families.insert(helped).second) return wrong("a family twice");
    } else if (line.starts_with("# TYPE ")) {
      typed = line.substr(7, line.find(' ', 7) - 7);
      if (typed != helped) return wrong("TYPE without HELP");
    } else {
      std::string_view rest = line;
      const std::string_view name = rest.substr(0, rest.find_first_of("{ "));
      if (!is_name(name) || name != typed) return wrong("a sample outside its family");
      rest.remove_prefix(name.size());
      if (!take_labels(rest)) return wrong("labels");
      if (!series.insert(line.substr(0, line.size() - rest.size())).second) return wrong("a series twice");
      if (!rest.starts_with(' ')) return wrong("no value");
      rest.remove_prefix(1);
      if (rest != "+Inf" && (rest.empty() || rest.find_first_not_of("0123456789.") != std::string_view::npos))
        return wrong("the value");
    }
  }
  return {};
}

}  // namespace weir::testing
