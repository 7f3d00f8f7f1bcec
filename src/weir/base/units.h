// SPDX-License-Identifier: MIT
#pragma once
// Units: explicit types for numbers that cross a function border. "max" is a state, not a number.

#include <compare>
#include <cstdint>
#include <optional>

#include "weir/base/error.h"

namespace weir {

/// A number with a name; the only way back is count().
template <typename Tag, typename Rep = std::uint64_t>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep count() const { return value_; }
  constexpr auto operator<=>(const Quantity&) const = default;

 private:
  Rep value_{};
};

using Bytes = Quantity<struct BytesTag>;
using Weight = Quantity<struct WeightTag, std::uint32_t>;
using CgroupId = Quantity<struct CgroupIdTag>;  ///< inode of the cgroup directory = kernfs id = BPF cgroup id
using Pid = Quantity<struct PidTag, std::int32_t>;

/// A limit as the kernel writes it: a value, or "max".
template <typename T>
class Limit {
 public:
  constexpr explicit Limit(T value) : value_(value) {}
  static constexpr Limit unlimited() { return Limit(); }
  [[nodiscard]] constexpr bool is_unlimited() const { return !value_.has_value(); }
  /// The value; asserts that there is one.
  [[nodiscard]] constexpr T value() const {
    WEIR_ASSERT(value_.has_value());
    return *value_;
  }
  [[nodiscard]] constexpr bool allows(T amount) const { return !value_ || amount <= *value_; }
  /// Tighter is less; unlimited is the greatest.
  constexpr std::strong_ordering operator<=>(const Limit& other) const {
    if (value_ && other.value_) return *value_ <=> *other.value_;
    return other.value_.has_value() <=> value_.has_value();
  }
  constexpr bool operator==(const Limit&) const = default;

 private:
  constexpr Limit() = default;
  std::optional<T> value_;
};

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

}  // namespace weir
