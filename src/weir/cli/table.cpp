// SPDX-License-Identifier: MIT
#include "weir/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "weir/base/escape.h"

namespace weir::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kComfortable =
    24;  ///< a column that may shrink keeps this before others are dropped for it

std::string_view code(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::dim:
      return "2";
    case Tone::good:
      return "32";
    case Tone::warn:
      return "33";
    case Tone::bad:
      return "31";
    case Tone::bold:
      return "1";
  }
  return "";
}

/// Widths of the columns that stay; 0 for one that was dropped.
class Fitting {
 public:
  Fitting(const std::vector<Column>& columns, std::vector<std::size_t> natural)
      : columns_(columns), natural_(natural), widths_(std::move(natural)) {}

  std::vector<std::size_t> into(std::size_t space) {
    drop_until_comfortable(space);
    shrink(space, [&](std::size_t i) { return columns_[i].may_shrink ? comfortable(i) : widths_[i]; });
    shrink(space, [&](std::size_t i) {
      return columns_[i].may_shrink ? std::min<std::size_t>(natural_[i], 4) : widths_[i];
    });
    shrink(space,
           [](std::size_t) { return std::size_t{1}; });  // a very narrow terminal: everything gives way
    return widths_;
  }

 private:
  [[nodiscard]] std::size_t comfortable(std::size_t i) const {
    return columns_[i].may_shrink ? std::min(natural_[i], kComfortable) : natural_[i];
  }

  template <typename Width>
  [[nodiscard]] std::size_t total(const Width& width) const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i)
      if (widths_[i] > 0) sum += (sum == 0 ? 0 : kGap) + width(i);
    return sum;
  }

  void drop_until_comfortable(std::size_t space) {
    while (total([&](std::size_t i) { return comfortable(i); }) > space) {
      std::size_t least = columns_.size();
      for (std::size_t i = 0; i < columns_.size(); ++i)
        if (widths_[i] > 0 && columns_[i].priority > 0 &&
            (least == columns_.size() || columns_[i].priority >= columns_[least].priority))
          least = i;
      if (least == columns_.size()) return;
      widths_[least] = 0;
    }
  }

  /// Takes from the widest column that is over its floor until it fits or nothing is left to take.
  template <typename Floor>
  void shrink(std::size_t space, const Floor& floor) {
    std::size_t sum = total([&](std::size_t i) { return widths_[i]; });
    while (sum > space) {
      std::size_t widest = widths_.size();
      for (std::size_t i = 0; i < widths_.size(); ++i)
        if (widths_[i] > floor(i) && (widest == widths_.size() || widths_[i] > widths_[widest])) widest = i;
      if (widest == widths_.size()) return;
      --widths_[widest];
      --sum;
    }
  }

  const std::vector<Column>& columns_;
  std::vector<std::size_t> natural_, widths_;
};

}  // namespace

std::string paint(std::string_view text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code(tone), text);
}

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = terminal_safe(cell.text);
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::render(std::size_t columns, bool colour, Header header) const {
  std::vector<std::size_t> natural;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = header == Header::show ? display_width(columns_[i].title) : 0;
    for (const auto& row : rows_) width = std::max(width, display_width(row[i].text));
    natural.push_back(std::max<std::size_t>(width, 1));
  }
  const std::vector<std::size_t> widths = Fitting(columns_, std::move(natural)).into(columns);
  std::size_t last = 0;
  for (std::size_t i = 0; i < widths.size(); ++i)
    if (widths[i] > 0) last = i;

  std::string out;
  const auto print_row = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0) continue;
      const Cell cell = cell_of(i);
      const std::string text = fit_width(cell.text, widths[i]);
      const std::string padding(widths[i] - std::min(widths[i], display_width(text)), ' ');
      if (!line.empty()) line.append(kGap, ' ');
      if (columns_[i].align == Align::right) line += padding;
      line += paint(text, cell.tone, colour);
      if (columns_[i].align == Align::left && i != last) line += padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line;
    out += '\n';
  };
  if (header == Header::show) print_row([&](std::size_t i) { return Cell{columns_[i].title, Tone::bold}; });
  for (const auto& row : rows_) print_row([&](std::size_t i) { return row[i]; });
  return out;
}

}  // namespace weir::cli
