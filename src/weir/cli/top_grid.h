// SPDX-License-Identifier: MIT
#pragma once
// Grid: a picture of a terminal's screen as cells of one character each, which `weir top` draws into and
// top_screen.h puts on the terminal. Wide characters take two cells, marks stay with the character before
// them, and nothing is ever written outside. Also the bars and lines that pictures are made of. Pure.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cli/table.h"

namespace weir::cli {

/// What the terminal's locale can show.
enum class Charset : std::uint8_t { ascii, utf8 };

struct GridStyle {
  Tone tone = Tone::plain;
  bool reverse = false;
  bool operator==(const GridStyle&) const = default;
};

struct GridCell {
  char32_t code = U' ';
  char32_t mark = 0;         ///< 0: none
  std::uint8_t columns = 1;  ///< 0: the right half of the wide character before it
  GridStyle style;
  bool operator==(const GridCell&) const = default;
};

struct GridSize {
  std::size_t columns = 80, rows = 24;
  bool operator==(const GridSize&) const = default;
};

class Grid {
 public:
  Grid(GridSize size, Charset charset) : size_(size), charset_(charset), cells_(size.columns * size.rows) {}
  [[nodiscard]] GridSize size() const { return size_; }
  [[nodiscard]] Charset charset() const { return charset_; }
  [[nodiscard]] std::span<const GridCell> row(std::size_t row) const {
    return std::span(cells_).subspan(row * size_.columns, size_.columns);
  }

  static constexpr std::size_t kRest = std::numeric_limits<std::size_t>::max();
  /// `text` (terminal_safe), cut with … to `most` columns and to the row. How many columns it took.
  std::size_t put(std::size_t row, std::size_t column, std::string_view text, GridStyle style = {},
                  std::size_t most = kRest);
  /// The same, ending before column `end`.
  std::size_t put_right(std::size_t row, std::size_t end, std::string_view text, GridStyle style = {});
  /// All cells of the row in this style, whatever is written there.
  void restyle(std::size_t row, GridStyle style);
  /// Lines without blanks at their ends: for tests and documents.
  [[nodiscard]] std::string text() const;

 private:
  GridSize size_;
  Charset charset_;
  std::vector<GridCell> cells_;
};

/// `share` (0..1) of `columns` filled, in eighths of a column where the charset has them.
std::string bar_text(double share, std::size_t columns, Charset charset);
/// One character for a share of the time, on a square-root scale so that small ones can be seen; nullopt: a
/// blank.
std::string_view spark_text(std::optional<double> share, Charset charset);

}  // namespace weir::cli
