// SPDX-License-Identifier: MIT
#pragma once
// Numbers as bytes, for what is kept on disk: little-endian or of variable length, the same on every machine.
// Take never reads beyond its bytes; once something is missing all that follows is.

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::history {

/// Small differences of either sign become small numbers.
constexpr std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1U) ^ (0 - (difference >> 63U));
}
constexpr std::uint64_t unzigzag(std::uint64_t coded) { return (coded >> 1U) ^ (0 - (coded & 1U)); }

inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>(value | 0x80U);
  out += static_cast<char>(value);
}
inline void put_signed(std::string& out, std::int64_t value) {
  put_varint(out, zigzag(static_cast<std::uint64_t>(value)));
}
inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}
/// The lowest `bytes` bytes.
inline void put_fixed(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned n = 0; n < bytes; ++n) out += static_cast<char>(value >> (8 * n));
}

class Take {
 public:
  explicit Take(std::string_view bytes) : bytes_(bytes) {}

  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return fail();
  }
  bool signed_varint(std::int64_t& out) {
    std::uint64_t coded = 0;
    if (!varint(coded)) return false;
    out = static_cast<std::int64_t>(unzigzag(coded));
    return true;
  }
  /// At most `cap`.
  bool varint(std::uint64_t& out, std::uint64_t cap) { return varint(out) && (out <= cap || fail()); }
  bool bytes(std::string_view& out, std::uint64_t size) {
    if (size > bytes_.size()) return fail();
    out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }
  bool text(std::string& out, std::uint64_t cap) {
    std::uint64_t size = 0;
    std::string_view view;
    if (!varint(size, cap) || !bytes(view, size)) return false;
    out = view;
    return true;
  }
  bool fixed(std::uint64_t& out, unsigned count) {
    std::string_view view;
    if (!bytes(view, count)) return false;
    out = 0;
    for (unsigned n = 0; n < count; ++n) out |= std::uint64_t{static_cast<unsigned char>(view[n])} << (8 * n);
    return true;
  }
  [[nodiscard]] bool is_over() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  bool fail() {
    bytes_ = {};
    return false;
  }
  std::string_view bytes_;
};

}  // namespace weir::history
