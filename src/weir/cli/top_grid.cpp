// SPDX-License-Identifier: MIT
#include "weir/cli/top_grid.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "weir/base/escape.h"

namespace weir::cli {
namespace {

/// What a terminal without UTF-8 is shown instead.
char32_t in_ascii(char32_t code) {
  if (code < 0x80) return code;
  return code == U'…' ? U'~' : U'?';
}

}  // namespace

std::size_t Grid::put(std::size_t row, std::size_t column, std::string_view text, GridStyle style,
                      std::size_t most) {
  if (row >= size_.rows || column >= size_.columns) return 0;
  const std::string fitted = fit_width(text, std::min(most, size_.columns - column));
  std::string_view left = fitted;
  GridCell* const cells = &cells_[row * size_.columns];
  std::size_t at = column;
  if (!left.empty() && cells[at].columns == 0) cells[at - 1] = {};  // the left half of what is overwritten
  while (!left.empty()) {
    const Character c = take_character(left);
    if (c.columns == 0) {
      // Of more than one mark on a character the first is shown: a pile of them would leave the row.
      if (at > column && charset_ == Charset::utf8 && cells[at - 1].mark == 0 && cells[at - 1].columns == 1)
        cells[at - 1].mark = c.code;
      continue;
    }
    const char32_t code = charset_ == Charset::utf8 ? c.code : in_ascii(c.code);
    const bool wide = c.columns == 2 && charset_ == Charset::utf8;
    cells[at] = {.code = code, .columns = static_cast<std::uint8_t>(wide ? 2 : 1), .style = style};
    if (c.columns == 2) cells[at + 1] = {.columns = static_cast<std::uint8_t>(wide ? 0 : 1), .style = style};
    at += c.columns;
  }
  if (at > column && at < size_.columns && cells[at].columns == 0) cells[at] = {};  // the right half
  return at - column;
}

std::size_t Grid::put_right(std::size_t row, std::size_t end, std::string_view text, GridStyle style) {
  const std::size_t width = std::min(display_width(text), end);
  return put(row, end - width, text, style, width);
}

void Grid::restyle(std::size_t row, GridStyle style) {
  if (row >= size_.rows) return;
  for (GridCell& cell : std::span(cells_).subspan(row * size_.columns, size_.columns)) cell.style = style;
}

std::string Grid::text() const {
  std::string out;
  for (std::size_t r = 0; r < size_.rows; ++r) {
    std::string line;
    for (const GridCell& cell : row(r)) {
      if (cell.columns == 0) continue;
      append_utf8(line, cell.code);
      if (cell.mark != 0) append_utf8(line, cell.mark);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string bar_text(double share, std::size_t columns, Charset charset) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double full = std::clamp(std::isnan(share) ? 0.0 : share, 0.0, 1.0) * static_cast<double>(columns);
  const bool utf8 = charset == Charset::utf8;
  // What is in use is never drawn as nothing, and what is not full never as full.
  auto eighths = static_cast<std::size_t>(std::lround(full * 8));
  if (share > 0 && columns > 0) eighths = std::max<std::size_t>(eighths, 1);
  if (share < 1 && columns > 0) eighths = std::min(eighths, columns * 8 - 1);
  std::size_t used = eighths / 8;
  std::string out;
  if (utf8) {
    for (std::size_t n = 0; n < used; ++n) out += "█";
    if (eighths % 8 != 0) {
      out += kEighths[eighths % 8];
      ++used;
    }
  } else {
    used = share > 0 ? std::max<std::size_t>(eighths / 8, columns > 0 ? 1 : 0) : 0;
    out.append(used, '#');
  }
  for (; used < columns; ++used) out += utf8 ? "·" : ".";
  return out;
}

std::string_view spark_text(std::optional<double> share, Charset charset) {
  constexpr std::array<std::string_view, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<std::string_view, 8> kAscii = {".", ":", "-", "=", "+", "*", "%", "#"};
  if (!share || std::isnan(*share)) return " ";
  const auto level = static_cast<std::size_t>(std::lround(std::sqrt(std::clamp(*share, 0.0, 1.0)) * 7));
  return charset == Charset::utf8 ? kBlocks[level] : kAscii[level];
}

}  // namespace weir::cli
