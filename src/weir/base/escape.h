// SPDX-License-Identifier: MIT
#pragma once
// Escaping of bytes that a container can choose (names, labels, comm, paths), one function per output. Each
// takes any bytes and never fails. JSON goes through valid_utf8() before nlohmann-json, which would throw
// otherwise.

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

/// For a terminal and logs: valid printable UTF-8 stays; control characters, bidi and zero-width marks, line
/// separators and invalid bytes become \xNN or \u{N}; backslash becomes \\. Nothing in the result moves the
/// cursor.
std::string terminal_safe(std::string_view bytes);
/// Valid UTF-8: each invalid byte becomes U+FFFD. For JSON strings.
std::string valid_utf8(std::string_view bytes);
/// For HTML text and double-quoted attributes: & < > " ' escaped, control characters dropped, valid UTF-8.
std::string html_escape(std::string_view bytes);
/// One CSV field: quoted if needed; a leading = + - @ tab or CR that is not a plain number gets a ' in front.
std::string csv_field(std::string_view bytes);
/// For /bin/sh, to print a command that the user may paste.
std::string shell_quote(std::string_view bytes);

/// Columns that `text` (already terminal_safe) takes on a terminal: wcwidth over its code points.
std::size_t display_width(std::string_view text);
/// One character of a text that is terminal_safe, and the columns that it takes.
struct Character {
  char32_t code = 0;
  std::size_t columns = 0;  ///< 0: a mark on the character before it
};
/// Takes the first one off the front of `text`, which must not be empty.
Character take_character(std::string_view& text);
/// The other way round: appends one code point.
void append_utf8(std::string& out, char32_t code);
/// Cuts `text` (already terminal_safe) to `columns`, ending in … where something was cut.
std::string fit_width(std::string_view text, std::size_t columns);

}  // namespace weir
