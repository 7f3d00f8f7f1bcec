// SPDX-License-Identifier: MIT
#include "weir/cli/table.h"

#include <gtest/gtest.h>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

Table sample() {
  Table table({{.title = "NAME", .may_shrink = true},
               {.title = "CPU", .align = Align::right},
               {.title = "MEMORY", .align = Align::right, .priority = 1},
               {.title = "WHY", .priority = 2, .may_shrink = true}});
  table.add({{"web"}, {"12%"}, {"512M"}, {"own limit", Tone::warn}});
  table.add({{"database-with-a-long-name"}, {"5%"}, {"1.5G"}, {"-"}});
  return table;
}

TEST(Table, AlignsTextLeftAndNumbersRight) {
  EXPECT_EQ(sample().render(80, false),
            "NAME                       CPU  MEMORY  WHY\n"
            "web                        12%    512M  own limit\n"
            "database-with-a-long-name   5%    1.5G  -\n");
}

TEST(Table, DropsTheLeastImportantColumnsFirst) {
  EXPECT_EQ(sample().render(40, false, Header::hide),
            "web                        12%  512M\n"
            "database-with-a-long-name   5%  1.5G\n");
  EXPECT_EQ(sample().render(32, false),
            "NAME                       CPU\n"
            "web                        12%\n"
            "database-with-a-long-name   5%\n");
}

TEST(Table, CutsTheWidestTextWhenNothingIsLeftToDrop) {
  EXPECT_EQ(sample().render(15, false),
            "NAME        CPU\n"
            "web         12%\n"
            "database-…   5%\n");
}

TEST(Table, IsNeverWiderThanAsked) {
  for (std::size_t columns = 1; columns < 90; ++columns) {
    const std::string text = sample().render(columns, false);
    for (const std::string_view line : split(text, '\n'))
      // Two columns stay whatever happens: they need 4.
      EXPECT_LE(display_width(line), std::max<std::size_t>(columns, 4)) << columns;
  }
}

TEST(Table, EscapesEveryCell) {
  Table table({{.title = "NAME"}});
  table.add({{"a\n\x1b[31mb\xff"}});
  const std::string text = table.render(80, true, Header::hide);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Table, AlignsWideCharacters) {
  Table table({{.title = "NAME"}, {.title = "N", .align = Align::right}});
  table.add({{"日本"}, {"1"}});
  table.add({{"abcd"}, {"2"}});
  EXPECT_EQ(table.render(80, false, Header::hide), "日本  1\nabcd  2\n");
}

TEST(Table, PaintsOnlyWhenAsked) {
  EXPECT_NE(sample().render(80, true).find("\x1b[33mown limit\x1b[0m"), std::string::npos);
  EXPECT_EQ(sample().render(80, false).find('\x1b'), std::string::npos);
}

TEST(Table, FillsRowsThatAreTooShort) {
  Table table({{.title = "A"}, {.title = "B"}});
  table.add({{"x"}});
  EXPECT_EQ(table.render(80, false), "A  B\nx\n");
}

}  // namespace
}  // namespace weir::cli
