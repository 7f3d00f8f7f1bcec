// SPDX-License-Identifier: MIT
#pragma once
// What the user of `weir top` has chosen (TopState), and how each key changes it. Pure: keys come from
// top_screen.h, what is shown from top_draw.h.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/units.h"
#include "weir/cli/top_view.h"

namespace weir::cli {

struct TopKey {
  enum class Kind : std::uint8_t {
    character,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    f1,
    f4,
    f10,
    other,
  };
  Kind kind = Kind::other;
  char32_t character = 0;
};

/// In a history: a frame, a minute.
enum class TopSeek : std::uint8_t { none, back, forward, minute_back, minute_forward };

enum class TopPage : std::uint8_t { table, details, help };

struct TopState {
  TopSort sort = TopSort::cpu;
  TopOrder order = TopOrder::usual;
  std::string filter;  ///< as typed: hostile only to the user himself, but escaped all the same
  bool typing = false;
  bool services = false;
  bool paused = false;
  bool quit = false;
  TopSeek seek = TopSeek::none;  ///< asked for; whoever does it resets it
  TopPage page = TopPage::table;
  /// The container that the selection follows as rows move; nullopt: the selection stays on the first row.
  std::optional<CgroupId> selected;
  std::size_t position = 0;  ///< of the selection among the rows
  std::size_t first = 0;     ///< row at the top of the table
  std::size_t scroll = 0;    ///< line at the top of details or help
};

/// What is on the screen: by what keys move.
struct TopExtent {
  std::vector<CgroupId> rows;  ///< those that are shown, in their order
  std::size_t page = 1;        ///< lines for rows or text
  std::size_t lines = 0;       ///< of the text of details or help
};

void press(TopState& state, const TopKey& key, const TopExtent& extent);
/// After rows came, went or moved, or the screen got another size: the selection stays with its container,
/// and in sight.
void settle(TopState& state, const TopExtent& extent);

struct TopKeyHelp {
  std::string_view keys, does;
};
std::span<const TopKeyHelp> top_key_help();

}  // namespace weir::cli
