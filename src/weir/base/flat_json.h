// SPDX-License-Identifier: MIT
#pragma once
// FlatJson: reads JSON objects of a known form, many of them, fast: numbers and strings of the object itself
// and of the objects in it, each by its section ("" or the name of the inner object) and key. What is nested
// deeper is passed over. No memory is asked for once it has read a few. For all else: json.h.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weir/base/error.h"

namespace weir {

class FlatJson {
 public:
  /// Forgets what it read before. Errors: invalid (no JSON, no object, longer than `cap`).
  Result<void> read(std::string_view text, std::string_view name, std::size_t cap);

  /// Whether it is there, of whatever type.
  [[nodiscard]] bool has(std::string_view section, std::string_view key) const;
  /// Whether there is an inner object of this name.
  [[nodiscard]] bool has_section(std::string_view section) const;
  /// Exactly the number that is written. nullopt: missing or no number.
  [[nodiscard]] std::optional<double> number(std::string_view section, std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view section, std::string_view key) const;
  /// "": missing or no string. Valid until the next read().
  [[nodiscard]] std::string_view string(std::string_view section, std::string_view key) const;

 private:
  class Handler;
  struct Other {};  ///< null, true, false, an array
  struct Text {};   ///< in Member::string
  struct Member {
    std::size_t section = 0;  ///< in sections_; 0 is the object itself
    std::string key, string;
    std::variant<Other, Text, double, std::int64_t> value;
  };
  [[nodiscard]] const Member* find(std::string_view section, std::string_view key) const;
  Member& next_member();
  void next_section(std::string_view name);

  std::vector<std::string> sections_;  ///< reused: the first `section_count_` are of this text
  std::vector<Member> members_;        ///< reused as well
  std::size_t section_count_ = 0, member_count_ = 0;
  mutable std::size_t last_ = 0;  ///< where the last search ended: keys are mostly asked for in their order
};

}  // namespace weir
