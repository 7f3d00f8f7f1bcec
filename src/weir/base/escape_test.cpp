// SPDX-License-Identifier: MIT
#include "weir/base/escape.h"

#include <gtest/gtest.h>

#include "weir/base/json.h"

namespace weir {
namespace {

TEST(TerminalSafe, LeavesNothingThatMovesTheCursor) {
  EXPECT_EQ(terminal_safe("a\x1b[31mb\r\n\x07"), "a\\x1b[31mb\\x0d\\x0a\\x07");
  EXPECT_EQ(terminal_safe("caf\xc3\xa9 \xe2\x80\xae"), "caf\xc3\xa9 \\u{202e}");
  EXPECT_EQ(terminal_safe("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(terminal_safe("a\\b"), "a\\\\b");
  EXPECT_EQ(terminal_safe("\xc2\x9b"), "\\x9b");
}

TEST(ValidUtf8, ReplacesEachBadByte) {
  EXPECT_EQ(valid_utf8("a\xff\xed\xa0\x80"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(HtmlEscape, LeavesNoMarkup) {
  EXPECT_EQ(html_escape("<script>\"'&\x1b"), "&lt;script&gt;&quot;&#39;&amp;");
}

TEST(CsvField, DisarmsFormulas) {
  EXPECT_EQ(csv_field("=1+1"), "'=1+1");
  EXPECT_EQ(csv_field("-5"), "-5");
  EXPECT_EQ(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
}

TEST(ShellQuote, SurvivesQuotesAndNewlines) {
  EXPECT_EQ(shell_quote("web-1"), "web-1");
  EXPECT_EQ(shell_quote("a'b c"), "'a'\\''b c'");
  EXPECT_EQ(shell_quote(""), "''");
}

TEST(FitWidth, CutsWideCharactersWhole) {
  EXPECT_EQ(fit_width("abcdef", 4), "abc…");
  EXPECT_EQ(fit_width("漢字漢字", 5), "漢字…");
  EXPECT_EQ(display_width("漢e\xcc\x81"), 3U);
}

TEST(Json, NeitherParsingNorDumpingThrows) {
  EXPECT_FALSE(parse_json("{\"a\":", "test").has_value());
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']'), "test").has_value());
  EXPECT_EQ(dump_json(Json{{"name", "\xff"}}, -1), "{\"name\":\"\xEF\xBF\xBD\"}");
}

TEST(TakeCharacter, TellsItsColumns) {
  std::string_view text = "a\u0301\u6f22";
  EXPECT_EQ(take_character(text).columns, 1U);
  EXPECT_EQ(take_character(text).columns, 0U);
  const Character wide = take_character(text);
  EXPECT_EQ(wide.code, U'\u6f22');
  EXPECT_EQ(wide.columns, 2U);
  EXPECT_TRUE(text.empty());
}

TEST(AppendUtf8, WritesWhatIsTaken) {
  for (const char32_t code : {U'a', U'\u00e9', U'\u6f22', U'\U0001F600'}) {
    std::string text;
    append_utf8(text, code);
    std::string_view left = text;
    EXPECT_EQ(take_character(left).code, code);
    EXPECT_TRUE(left.empty());
  }
}

}  // namespace
}  // namespace weir
