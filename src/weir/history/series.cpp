// SPDX-License-Identifier: MIT
#include "weir/history/series.h"

#include <algorithm>
#include <bit>

#include "weir/history/wire.h"

namespace weir::history {
namespace {

constexpr std::uint64_t kInPage = (1U << kPageBits) - 1;

/// Divides by the page with the sign kept.
std::uint64_t to_pages(std::uint64_t difference) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(difference) >> kPageBits);
}

}  // namespace

std::uint8_t pack(Coding coding) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(coding.way) | (coding.pages ? 4U : 0U) |
                                   unsigned{coding.group} << 3U);
}

Coding unpack(std::uint8_t byte) {
  return {.way = static_cast<Way>(byte & 3U),
          .pages = (byte & 4U) != 0,
          .group = static_cast<std::uint8_t>(byte >> 3U)};
}

void code(std::span<const std::uint64_t> values, std::span<const std::uint64_t> rest, Coded& out) {
  out.coding = {};
  out.small.clear();
  if (std::ranges::all_of(values, [&](std::uint64_t value) { return value == values.front(); })) return;

  std::uint64_t growth_bits = 0, change_bits = 0, related_bits = 0, before = 0;
  for (std::size_t n = 1; n < values.size(); ++n) {
    const std::uint64_t growth = values[n] - values[n - 1];
    growth_bits += static_cast<unsigned>(std::bit_width(zigzag(growth)));
    change_bits += static_cast<unsigned>(std::bit_width(zigzag(growth - before)));
    if (!rest.empty()) related_bits += static_cast<unsigned>(std::bit_width(zigzag(rest[n] - rest[n - 1])));
    before = growth;
  }
  out.coding.way = change_bits < growth_bits ? Way::change : Way::growth;
  if (!rest.empty() && related_bits < std::min(growth_bits, change_bits)) out.coding.way = Way::related;

  const std::span<const std::uint64_t> from = out.coding.way == Way::related ? rest : values;
  std::uint64_t all = 0;
  before = 0;
  for (std::size_t n = 1; n < from.size(); ++n) {
    const std::uint64_t growth = from[n] - from[n - 1];
    out.small.push_back(out.coding.way == Way::change ? growth - before : growth);
    all |= out.small.back();
    before = growth;
  }
  out.coding.pages = (all & kInPage) == 0;
  std::uint64_t bits = 0;
  for (std::uint64_t& small : out.small) {
    small = zigzag(out.coding.pages ? to_pages(small) : small);
    bits += static_cast<unsigned>(std::bit_width(small));
  }
  out.coding.group = static_cast<std::uint8_t>(bits / out.small.size() / 4);
}

void Decoder::next(std::uint64_t small) {
  std::uint64_t difference = unzigzag(small);
  if (coding_.pages) difference <<= kPageBits;
  if (coding_.way == Way::change) difference = growth_ += difference;
  value_ += difference;
}

}  // namespace weir::history
