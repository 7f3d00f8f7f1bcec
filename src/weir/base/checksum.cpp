// SPDX-License-Identifier: MIT
#include "weir/base/checksum.h"

#include <array>
#include <cstddef>

namespace weir {
namespace {

/// CRC-32 (IEEE 802.3, reflected), eight bytes at a time: each table is the one before it, a zero byte later.
constexpr auto kCrcTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xEDB88320U ^ (c >> 1U) : c >> 1U;
    tables[0].at(n) = c;
  }
  for (std::size_t t = 1; t < tables.size(); ++t)
    for (std::size_t n = 0; n < 256; ++n) {
      const std::uint32_t c = tables.at(t - 1).at(n);
      tables.at(t).at(n) = tables[0].at(c & 255U) ^ (c >> 8U);
    }
  return tables;
}();

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  const auto& t = kCrcTables;
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(bytes[n]); };
  std::uint32_t crc = ~0U;
  for (; bytes.size() >= 8; bytes.remove_prefix(8))
    crc = t[7][byte(0) ^ (crc & 255U)] ^ t[6][byte(1) ^ (crc >> 8U & 255U)] ^
          t[5][byte(2) ^ (crc >> 16U & 255U)] ^ t[4][byte(3) ^ (crc >> 24U)] ^ t[3][byte(4)] ^ t[2][byte(5)] ^
          t[1][byte(6)] ^ t[0][byte(7)];
  for (; !bytes.empty(); bytes.remove_prefix(1)) crc = t[0][byte(0) ^ (crc & 255U)] ^ (crc >> 8U);
  return ~crc;
}

}  // namespace weir
