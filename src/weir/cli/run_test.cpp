// SPDX-License-Identifier: MIT
// The frame that every command stands in: parsing, help, errors.
#include <gmock/gmock.h>

#include <sstream>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/base/text.h"
#include "weir/cli/command.h"

namespace weir::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  int code;
  std::string out, err;
};

Outcome weir(const std::vector<std::string>& arguments, std::size_t columns = 80) {
  std::ostringstream out, err;
  std::istringstream in;
  const int code = run(arguments, Terminal{.out = out, .err = err, .in = in, .columns = columns});
  return {code, out.str(), err.str()};
}

TEST(Run, PrintsTheVersion) {
  const Outcome o = weir({"--version"});
  EXPECT_EQ(o.code, kDone);
  EXPECT_THAT(o.out, ::testing::MatchesRegex("weir [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Run, OffersTheNearestCommandForAMistypedOne) {
  const Outcome o = weir({"completoin", "bash"});
  EXPECT_EQ(o.code, kUsage);
  EXPECT_THAT(o.err, HasSubstr("did you mean 'completion'?"));
  EXPECT_EQ(o.out, "");
}

TEST(Run, UnderstandsHelpAsAWord) {
  EXPECT_EQ(weir({"help", "set"}).out, weir({"set", "--help"}).out);
  EXPECT_EQ(weir({"help"}).out, weir({"--help"}).out);
}

TEST(Run, RefusesACommandBehindTheNameOfAnotherAsItDoesAnyTarget) {
  const Outcome o = weir({"ls", "doctor", "--json", "--cgroup-root", "/nonexistent"});
  EXPECT_NE(o.code, kDone);
}

TEST(Run, RefusesAnUnknownOptionAndChangesNothing) {
  const Outcome o = weir({"--frobnicate"});
  EXPECT_EQ(o.code, kUsage);
  EXPECT_THAT(o.err, HasSubstr("--frobnicate"));
}

TEST(Run, ReportsAWrongUsageAsJsonWhereJsonIsAsked) {
  const Outcome o = weir({"nonsense", "--json"});
  EXPECT_EQ(o.code, kUsage);
  const auto json = parse_json(o.out, "out");
  ASSERT_TRUE(json.has_value()) << o.out;
  EXPECT_EQ(string_member((*json)["error"], "kind"), "invalid");
}

TEST(Run, ShortensANameOfFourKibibytesInWhatItSays) {
  const std::string name(4096, 'n');
  const Outcome o = weir({"set", name, "cpus=none"});
  EXPECT_EQ(o.code, kUsage);
  EXPECT_LT(weir({"set", name + "/x", "cpus=1"}).err.size(), 1000U);
  EXPECT_LT(weir({"set", "unit:" + name, "cpus=1", "--cgroup-root", "/nonexistent"}).err.size(), 1000U);
}

TEST(Run, EscapesHostileBytesOfTheCommandLine) {
  EXPECT_THAT(weir({"\x1b[31mred"}).err, Not(HasSubstr("\x1b")));
}

TEST(Run, KeepsEveryHelpPageWithinEightyColumns) {
  std::vector<std::vector<std::string>> pages = {{"--help"}};
  for (const CommandEntry& command : commands()) pages.push_back({std::string(command.name), "--help"});
  for (const auto& page : pages) {
    const Outcome o = weir(page);
    EXPECT_EQ(o.code, kDone);
    for (const std::string_view line : split(o.out, '\n'))
      EXPECT_LE(display_width(line), 80U) << page[0] << ": " << line;
  }
}

TEST(Run, BeginsTheHelpWithWhatWeirIs) {
  EXPECT_THAT(weir({"--help"}).out,
              ::testing::StartsWith("Control, explain and prove the resources of Linux containers"));
}

TEST(Run, GivesEveryVisibleCommandAnExample) {
  for (const CommandEntry& command : commands()) {
    if (command.name == "man") continue;
    EXPECT_THAT(weir({std::string(command.name), "--help"}).out, HasSubstr("Example")) << command.name;
  }
}

TEST(Completion, ExistsForEachShellAndNamesEveryCommand) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome o = weir({"completion", shell});
    EXPECT_EQ(o.code, kDone);
    for (const CommandEntry& command : commands())
      if (command.name != "man") {
        EXPECT_THAT(o.out, HasSubstr(std::string(command.name))) << shell;
      }
  }
}

TEST(Man, HasAPageForEveryCommand) {
  EXPECT_THAT(weir({"man"}).out, HasSubstr(".SH SYNOPSIS"));
  for (const CommandEntry& command : commands())
    EXPECT_THAT(weir({"man", std::string(command.name)}).out, HasSubstr(".SH NAME")) << command.name;
  EXPECT_EQ(weir({"man", "nonsense"}).code, kUsage);
}

}  // namespace
}  // namespace weir::cli
