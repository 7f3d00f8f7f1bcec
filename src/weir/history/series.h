// SPDX-License-Identifier: MIT
#pragma once
// Series: how the numbers of one column of one container become small ones. Each series is written in the way
// that makes it smallest:
//
//   constant  its first value says it all
//   growth    differences from one frame to the next: counters of what goes evenly
//   change    differences of these
//   related   differences of what is left beside other columns of the same file: usage - user - system of
//             cpu.stat is 0 or 1, some - full of a pressure file often 0
//
// What is left is noise, and noise of one size packs better by itself: so each series has a class, the mean
// number of its bits by four, and goes into the planes (all lowest bytes, all second bytes, …) of its class.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace weir::history {

enum class Way : std::uint8_t { constant, growth, change, related };

struct Coding {
  Way way = Way::constant;
  bool pages = false;      ///< all are multiples of 4096, and divided by it
  std::uint8_t group = 0;  ///< the class: 0..kGroups-1
  bool operator==(const Coding&) const = default;
};
inline constexpr std::size_t kGroups = 17;
inline constexpr unsigned kPageBits = 12;

std::uint8_t pack(Coding coding);
/// Any byte; group may be too large then.
Coding unpack(std::uint8_t byte);

/// What `values` less `rest` are coded to, of one element less. `rest` is value by value what `related`
/// leaves; empty: nothing is related.
struct Coded {
  Coding coding;
  std::vector<std::uint64_t> small;
};
void code(std::span<const std::uint64_t> values, std::span<const std::uint64_t> rest, Coded& out);

/// The values again, one after the other: those of `rest` where the way is related.
class Decoder {
 public:
  Decoder(Coding coding, std::uint64_t first) : coding_(coding), value_(first) {}
  [[nodiscard]] std::uint64_t value() const { return value_; }
  void next(std::uint64_t small);

 private:
  Coding coding_;
  std::uint64_t value_, growth_ = 0;
};

}  // namespace weir::history
