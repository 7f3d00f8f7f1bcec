// SPDX-License-Identifier: MIT
#include "weir/cli/top_keys.h"

#include <algorithm>
#include <array>

#include "weir/base/escape.h"

namespace weir::cli {
namespace {

using Kind = TopKey::Kind;

constexpr std::size_t kLongestFilter = 200;  ///< bytes

constexpr std::array kHelp = {
    TopKeyHelp{"q F10 Ctrl-C", "quit"},
    TopKeyHelp{"Up Down k j", "select; the selection follows its container"},
    TopKeyHelp{"PgUp PgDn", "a page up or down"},
    TopKeyHelp{"Home End g G", "the first, where it stays; the last"},
    TopKeyHelp{"Enter", "details of the selected container; Esc goes back"},
    TopKeyHelp{"/ F4", "filter by name, image, label, runtime or id; Esc clears it"},
    TopKeyHelp{"c t m i p n", "sort by CPU, throttling, memory, IO, pressure, name"},
    TopKeyHelp{"< >", "sort by the column to the left, to the right"},
    TopKeyHelp{"r", "the other way round; so does the same sort key again"},
    TopKeyHelp{"s a", "services of systemd too, or not"},
    TopKeyHelp{"Space", "pause the picture, and go on"},
    TopKeyHelp{"Left Right [ ]", "with --at: a second back, forward; { }: a minute"},
    TopKeyHelp{"h ? F1", "this help"},
};

void rub_out(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
  if (!text.empty()) text.pop_back();
}

void choose(TopState& state, TopSort sort) {
  if (state.sort == sort) {
    state.order = state.order == TopOrder::usual ? TopOrder::reversed : TopOrder::usual;
  } else {
    state.sort = sort;
    state.order = TopOrder::usual;
  }
}

void choose_neighbour(TopState& state, std::size_t steps) {
  choose(state, static_cast<TopSort>((static_cast<std::size_t>(state.sort) + steps) % kTopSorts));
}

void type(TopState& state, const TopKey& key) {
  switch (key.kind) {
    case Kind::character:
      if (state.filter.size() < kLongestFilter && key.character >= 0x20 && key.character != 0x7F)
        append_utf8(state.filter, key.character);
      return;
    case Kind::backspace:
      rub_out(state.filter);
      return;
    case Kind::escape:
      state.filter.clear();
      state.typing = false;
      return;
    case Kind::enter:
    case Kind::f4:
      state.typing = false;
      return;
    case Kind::f10:
      state.quit = true;
      return;
    default:
      return;
  }
}

void open(TopState& state, TopPage page) {
  state.page = page;
  state.scroll = 0;
}

/// Where a key that moves moves to; nullopt: it does not.
std::optional<std::size_t> moved(const TopKey& key, std::size_t from, std::size_t page, std::size_t last) {
  const auto down = [&](std::size_t by) { return std::min(from + by, last); };
  const auto up = [&](std::size_t by) { return from - std::min(by, from); };
  const char32_t c = key.kind == Kind::character ? key.character : 0;
  const std::size_t leaf = std::max<std::size_t>(page, 2) - 1;
  if (key.kind == Kind::down || c == U'j') return down(1);
  if (key.kind == Kind::up || c == U'k') return up(1);
  if (key.kind == Kind::page_down) return down(leaf);
  if (key.kind == Kind::page_up) return up(leaf);
  if (key.kind == Kind::home || c == U'g') return 0;
  if (key.kind == Kind::end || c == U'G') return last;
  return std::nullopt;
}

/// Keys of the table alone.
void press_in_table(TopState& state, const TopKey& key, const TopExtent& extent) {
  const std::size_t last = extent.rows.empty() ? 0 : extent.rows.size() - 1;
  if (const auto to = moved(key, state.position, extent.page, last)) {
    state.position = *to;
    const bool home = key.kind == Kind::home || (key.kind == Kind::character && key.character == U'g');
    if (home || extent.rows.empty())
      state.selected.reset();
    else
      state.selected = extent.rows[*to];
    settle(state, extent);
    return;
  }
  if (key.kind == Kind::enter && state.position < extent.rows.size()) {
    state.selected = extent.rows[state.position];
    open(state, TopPage::details);
  }
  if (key.kind == Kind::escape) {
    if (!state.filter.empty())
      state.filter.clear();
    else
      state.selected.reset();
  }
  if (key.kind == Kind::f4) state.typing = true;
  if (key.kind != Kind::character) return;
  switch (key.character) {
    case U'c':
      return choose(state, TopSort::cpu);
    case U't':
      return choose(state, TopSort::throttled);
    case U'm':
      return choose(state, TopSort::memory);
    case U'i':
      return choose(state, TopSort::io);
    case U'p':
      return choose(state, TopSort::pressure);
    case U'n':
      return choose(state, TopSort::name);
    case U'r':
      return choose(state, state.sort);
    case U'<':
      return choose_neighbour(state, kTopSorts - 1);
    case U'>':
      return choose_neighbour(state, 1);
    case U's':
    case U'a':
      state.services = !state.services;
      return;
    case U'/':
      state.typing = true;
      return;
    default:
      return;
  }
}

TopSeek sought(const TopKey& key) {
  const char32_t c = key.kind == Kind::character ? key.character : 0;
  if (key.kind == Kind::left || c == U'[') return TopSeek::back;
  if (key.kind == Kind::right || c == U']') return TopSeek::forward;
  if (c == U'{') return TopSeek::minute_back;
  if (c == U'}') return TopSeek::minute_forward;
  return TopSeek::none;
}

void press_in_text(TopState& state, const TopKey& key, const TopExtent& extent) {
  const std::size_t last = extent.lines - std::min(extent.lines, extent.page);
  if (const auto to = moved(key, state.scroll, extent.page, last)) {
    state.scroll = *to;
    return;
  }
  if (key.kind == Kind::escape || key.kind == Kind::enter) open(state, TopPage::table);
}

}  // namespace

void press(TopState& state, const TopKey& key, const TopExtent& extent) {
  if (state.typing) return type(state, key);
  const char32_t c = key.kind == Kind::character ? key.character : 0;
  if (key.kind == Kind::f10 || (c == U'q' && state.page != TopPage::help)) {
    state.quit = true;
  } else if (key.kind == Kind::f1 || c == U'h' || c == U'?' || c == U'q') {
    open(state, state.page == TopPage::help ? TopPage::table : TopPage::help);
  } else if (const TopSeek seek = sought(key); seek != TopSeek::none) {
    state.seek = seek;
  } else if (c == U' ') {
    state.paused = !state.paused;
  } else if (state.page == TopPage::table) {
    press_in_table(state, key, extent);
  } else {
    press_in_text(state, key, extent);
  }
}

void settle(TopState& state, const TopExtent& extent) {
  const std::size_t last = extent.lines - std::min(extent.lines, extent.page);
  state.scroll = std::min(state.scroll, last);
  if (state.page == TopPage::details) return;  // of one that may have ended
  if (extent.rows.empty()) {
    state.position = state.first = 0;
    return;
  }
  if (!state.selected) {
    state.position = 0;
  } else if (const auto found = std::ranges::find(extent.rows, *state.selected); found != extent.rows.end()) {
    state.position = static_cast<std::size_t>(found - extent.rows.begin());
  } else {
    // It ended, or is filtered out: whoever stands there now.
    state.position = std::min(state.position, extent.rows.size() - 1);
    state.selected = extent.rows[state.position];
  }
  const std::size_t page = std::max<std::size_t>(extent.page, 1);
  const std::size_t furthest = extent.rows.size() - std::min(extent.rows.size(), page);
  state.first = std::min({state.first, state.position, furthest});
  if (state.position >= state.first + page) state.first = state.position + 1 - page;
}

std::span<const TopKeyHelp> top_key_help() { return kHelp; }

}  // namespace weir::cli
