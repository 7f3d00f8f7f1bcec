// SPDX-License-Identifier: MIT
#pragma once
// Table: rows of cells fitted to the terminal's width. Cells are escaped by add(); columns give way from the
// least important, then the widest text column is cut with an ellipsis. Numbers align right.

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

enum class Align { left, right };
enum class Tone { plain, dim, good, warn, bad, bold };

struct Column {
  std::string title;
  Align align = Align::left;
  int priority = 0;  ///< columns with the highest number are dropped first when space is short; 0 never
  bool may_shrink = false;  ///< may be cut with an ellipsis
};
struct Cell {
  std::string text;  ///< raw; escaped when printed
  Tone tone = Tone::plain;
};
enum class Header { show, hide };

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// At most `columns` wide; colour only if asked.
  [[nodiscard]] std::string render(std::size_t columns, bool colour, Header header = Header::show) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

/// `text` in the tone's colour, or as it is.
std::string paint(std::string_view text, Tone tone, bool colour);

}  // namespace weir::cli
