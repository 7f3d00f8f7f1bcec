// SPDX-License-Identifier: MIT
#include "weir/cli/top_keys.h"

#include <gtest/gtest.h>

#include "weir/cli/top_terminfo.h"

namespace weir::cli {
namespace {

using Kind = TopKey::Kind;

TopExtent ten_rows() {
  TopExtent extent{.rows = {}, .page = 4, .lines = 0};
  for (std::uint64_t n = 100; n < 110; ++n) extent.rows.emplace_back(n);
  return extent;
}
void type(TopState& state, std::u32string_view text, const TopExtent& extent = ten_rows()) {
  for (const char32_t c : text) press(state, {.kind = Kind::character, .character = c}, extent);
}
void press(TopState& state, Kind kind, const TopExtent& extent = ten_rows()) {
  press(state, TopKey{.kind = kind}, extent);
}

TEST(TopKeys, QuitByQF10ButNotWhileTyping) {
  TopState state;
  type(state, U"/q");
  EXPECT_FALSE(state.quit);
  EXPECT_EQ(state.filter, "q");
  press(state, Kind::escape);
  type(state, U"q");
  EXPECT_TRUE(state.quit);
  TopState other;
  press(other, Kind::f10);
  EXPECT_TRUE(other.quit);
}

TEST(TopKeys, TypeAFilterAndTakeItBackByCharacters) {
  TopState state;
  type(state, U"/w\u00e9b");
  press(state, Kind::backspace);
  press(state, Kind::backspace);
  EXPECT_EQ(state.filter, "w");
  press(state, Kind::enter);
  EXPECT_FALSE(state.typing);
  EXPECT_EQ(state.filter, "w");
  press(state, Kind::escape);
  EXPECT_EQ(state.filter, "");
}

TEST(TopKeys, SortAndTurnRound) {
  TopState state;
  type(state, U"m");
  EXPECT_EQ(state.sort, TopSort::memory);
  EXPECT_EQ(state.order, TopOrder::usual);
  type(state, U"m");
  EXPECT_EQ(state.order, TopOrder::reversed);
  type(state, U"t");
  EXPECT_EQ(state.sort, TopSort::throttled);
  EXPECT_EQ(state.order, TopOrder::usual);
  type(state, U"r");
  EXPECT_EQ(state.order, TopOrder::reversed);
  type(state, U">");
  EXPECT_EQ(state.sort, TopSort::memory);
  type(state, U"<<<");
  EXPECT_EQ(state.sort, TopSort::name);
  type(state, U"<");
  EXPECT_EQ(state.sort, TopSort::kills);
}

TEST(TopKeys, MoveTheSelectionAndKeepItInSight) {
  TopState state;
  type(state, U"jjj");
  EXPECT_EQ(state.position, 3U);
  EXPECT_EQ(state.first, 0U);
  press(state, Kind::down);
  EXPECT_EQ(state.first, 1U);
  press(state, Kind::end);
  EXPECT_EQ(state.position, 9U);
  EXPECT_EQ(state.first, 6U);
  press(state, Kind::page_up);
  EXPECT_EQ(state.position, 6U);
  type(state, U"k");
  EXPECT_EQ(state.first, 5U);
  press(state, Kind::home);
  EXPECT_EQ(state.position, 0U);
  EXPECT_EQ(state.selected, std::nullopt);
}

TEST(TopKeys, TheSelectionFollowsItsContainer) {
  TopState state;
  type(state, U"jj");
  ASSERT_EQ(state.selected, CgroupId(102));
  TopExtent moved = ten_rows();
  std::swap(moved.rows[2], moved.rows[8]);
  settle(state, moved);
  EXPECT_EQ(state.position, 8U);
  moved.rows.erase(moved.rows.begin() + 8);  // it ended
  settle(state, moved);
  EXPECT_EQ(state.position, 8U);
  EXPECT_EQ(state.selected, moved.rows[8]);
  moved.rows.resize(1);
  settle(state, moved);
  EXPECT_EQ(state.position, 0U);
  moved.rows.clear();
  settle(state, moved);
  EXPECT_EQ(state.position, 0U);
}

TEST(TopKeys, StayOnTheFirstRowUntilMoved) {
  TopState state;
  TopExtent extent = ten_rows();
  settle(state, extent);
  std::swap(extent.rows[0], extent.rows[9]);
  settle(state, extent);
  EXPECT_EQ(state.position, 0U);
  EXPECT_EQ(state.first, 0U);
}

TEST(TopKeys, OpenDetailsAndComeBack) {
  TopState state;
  press(state, Kind::enter);
  EXPECT_EQ(state.page, TopPage::details);
  EXPECT_EQ(state.selected, CgroupId(100));
  TopExtent text = ten_rows();
  text.lines = 6;
  for (int n = 0; n < 9; ++n) press(state, Kind::down, text);
  EXPECT_EQ(state.scroll, 2U);
  text.lines = 3;
  settle(state, text);
  EXPECT_EQ(state.scroll, 0U);
  press(state, Kind::escape, text);
  EXPECT_EQ(state.page, TopPage::table);
  TopState empty;
  press(empty, Kind::enter, TopExtent{});
  EXPECT_EQ(empty.page, TopPage::table);
}

TEST(TopKeys, ShowHelpAndLeaveItTheSameWay) {
  for (const char32_t key : {U'h', U'?', U'q'}) {
    TopState state;
    press(state, Kind::f1);
    EXPECT_EQ(state.page, TopPage::help);
    type(state, std::u32string(1, key));
    EXPECT_EQ(state.page, TopPage::table);
    EXPECT_FALSE(state.quit);
  }
}

TEST(TopKeys, PauseAndShowServices) {
  TopState state;
  type(state, U" s");
  EXPECT_TRUE(state.paused);
  EXPECT_TRUE(state.services);
  type(state, U" a");
  EXPECT_FALSE(state.paused);
  EXPECT_FALSE(state.services);
}

TEST(TopTerminfo, HasCommonTerminalsAndThoseMadeLikeThem) {
  for (const auto& [term, name] :
       {std::pair<std::string_view, std::string_view>("xterm-256color", "xterm-256color"),
        {"xterm", "xterm-256color"},
        {"xterm-kitty", "xterm-256color"},
        {"alacritty", "xterm-256color"},
        {"tmux-256color", "screen-256color"},
        {"screen.xterm-new", "screen-256color"},
        {"linux", "linux"},
        {"vt220", "vt100"}}) {
    const TerminalDescription* found = find_terminal(term);
    ASSERT_NE(found, nullptr) << term;
    EXPECT_EQ(found->name, name);
    EXPECT_TRUE(found->terminfo.starts_with("b64:"));
  }
  EXPECT_EQ(find_terminal("teletype"), nullptr);
  EXPECT_EQ(find_terminal(""), nullptr);
}

}  // namespace
}  // namespace weir::cli
