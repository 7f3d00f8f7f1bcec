// SPDX-License-Identifier: MIT
#pragma once
// Checksum: CRC-32 (zlib's polynomial), which tells damage of what is kept on disk: a cut, a flipped bit. It
// is no protection against someone who means it.

#include <cstdint>
#include <string_view>

namespace weir {

std::uint32_t crc32(std::string_view bytes);

}  // namespace weir
