// SPDX-License-Identifier: MIT
#include "weir/base/escape.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace weir {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 1;
  bool valid = false;
};

/// Decodes the code point at the front; overlong forms, surrogates and values past U+10FFFF are invalid, one
/// byte each.
CodePoint decode(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const auto tail = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xC0U) == 0x80U; };
  const std::uint8_t b = byte(0);
  if (b < 0x80) return {b, 1, true};
  if (b >= 0xC2 && b <= 0xDF && tail(1)) return {(b & 0x1FU) << 6 | (byte(1) & 0x3FU), 2, true};
  if (b >= 0xE0 && b <= 0xEF && tail(1) && tail(2)) {
    const std::uint32_t v = (b & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU);
    if (v >= 0x800 && (v < 0xD800 || v > 0xDFFF)) return {v, 3, true};
  }
  if (b >= 0xF0 && b <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const std::uint32_t v =
        (b & 0x07U) << 18 | (byte(1) & 0x3FU) << 12 | (byte(2) & 0x3FU) << 6 | (byte(3) & 0x3FU);
    if (v >= 0x10000 && v <= 0x10FFFF) return {v, 4, true};
  }
  return {b, 1, false};
}

/// Control, format, bidi, zero-width, separators, private use, noncharacters: what could mislead on a
/// terminal.
bool harmful(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C || c == 0x115F || c == 0x1160 ||
         c == 0x180E || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0x3164 || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
         (c >= 0xE000 && c <= 0xF8FF) || c >= 0xE0000 || (c & 0xFFFEU) == 0xFFFEU;
}

/// Two columns: East Asian wide and emoji blocks (a coarse table, independent of the locale); none: combining
/// marks.
std::size_t columns_of(std::uint32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) || (c >= 0x591 && c <= 0x5BD) ||
      (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
      (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F) ||
      (c >= 0xFE20 && c <= 0xFE2F))
    return 0;
  if ((c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) || (c >= 0x3041 && c <= 0xA4CF) ||
      (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
      (c >= 0xFF00 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) ||
      (c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1F900 && c <= 0x1F9FF) || (c >= 0x20000 && c <= 0x3FFFD))
    return 2;
  return 1;
}

bool plain_number(std::string_view s) {
  if (!s.empty() && (s.front() == '-' || s.front() == '+')) s.remove_prefix(1);
  return !s.empty() && s.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

std::string terminal_safe(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint c = decode(bytes);
    if (!c.valid) {
      out += fmt::format("\\x{:02x}", c.value);
    } else if (c.value == '\\') {
      out += "\\\\";
    } else if (harmful(c.value)) {
      out += c.value < 0x100 ? fmt::format("\\x{:02x}", c.value) : fmt::format("\\u{{{:x}}}", c.value);
    } else {
      out += bytes.substr(0, c.length);
    }
    bytes.remove_prefix(c.length);
  }
  return out;
}

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint c = decode(bytes);
    out += c.valid ? bytes.substr(0, c.length) : std::string_view("\xEF\xBF\xBD");
    bytes.remove_prefix(c.length);
  }
  return out;
}

std::string html_escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint c = decode(bytes);
    if (!c.valid) {
      out += "\xEF\xBF\xBD";
    } else if (c.value == '&') {
      out += "&amp;";
    } else if (c.value == '<') {
      out += "&lt;";
    } else if (c.value == '>') {
      out += "&gt;";
    } else if (c.value == '"') {
      out += "&quot;";
    } else if (c.value == '\'') {
      out += "&#39;";
    } else if (c.value == '\n' || c.value == '\t' || !harmful(c.value)) {
      out += bytes.substr(0, c.length);
    }
    bytes.remove_prefix(c.length);
  }
  return out;
}

std::string csv_field(std::string_view bytes) {
  std::string text = valid_utf8(bytes);
  // A spreadsheet runs what looks like a formula.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos &&
      !plain_number(text))
    text.insert(text.begin(), '\'');
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string shell_quote(std::string_view bytes) {
  if (!bytes.empty() &&
      bytes.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") ==
          std::string_view::npos)
    return std::string(bytes);
  std::string out = "'";
  for (const char c : bytes) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + '\'';
}

Character take_character(std::string_view& text) {
  const CodePoint c = decode(text);
  text.remove_prefix(c.length);
  return {.code = c.value, .columns = columns_of(c.value)};
}

void append_utf8(std::string& out, char32_t code) {
  const auto byte = [&](char32_t bits) { out += static_cast<char>(bits); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | code >> 6);
    byte(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    byte(0xE0U | code >> 12);
    byte(0x80U | (code >> 6 & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  } else {
    byte(0xF0U | code >> 18);
    byte(0x80U | (code >> 12 & 0x3FU));
    byte(0x80U | (code >> 6 & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  }
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) columns += take_character(text).columns;
  return columns;
}

std::string fit_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    if (used + columns_of(c.value) > columns - 1) break;
    used += columns_of(c.value);
    out += text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out + "…";
}

}  // namespace weir
