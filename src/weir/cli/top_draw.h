// SPDX-License-Identifier: MIT
#pragma once
// The picture of `weir top`: numbers in, a Grid of any size out. Pure. The text of the details page is in
// top_details.h, putting a picture on a terminal in top_screen.h.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weir/cli/top_grid.h"
#include "weir/cli/top_keys.h"
#include "weir/cli/top_view.h"

namespace weir::cli {

/// One line of a page of text, terminal_safe.
struct TopLine {
  std::string text;
  Tone tone = Tone::plain;
};

struct TopScene {
  const TopView& view;
  std::span<const TopRow> rows;  ///< those that are shown, in their order
  const TopHistory& history;
  std::string host;        ///< its name
  std::string source;      ///< who samples
  std::string notice;      ///< what is missing or was lost; "": nothing
  std::string last_event;  ///< terminal_safe; "": none yet
  std::size_t events = 0;
  std::span<const TopLine> details;  ///< the text of the details page
  std::string details_of;            ///< its title
};

/// Smaller than that only a sentence is drawn.
inline constexpr GridSize kSmallestTop{.columns = 40, .rows = 8};

/// How many lines there are for rows, or for the text of the other pages.
std::size_t page_lines(const TopState& state, GridSize size);
Grid draw_top(const TopState& state, const TopScene& scene, GridSize size, Charset charset);
/// The help page's text.
std::vector<TopLine> help_lines();

}  // namespace weir::cli
