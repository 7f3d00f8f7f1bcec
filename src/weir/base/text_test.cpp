// SPDX-License-Identifier: MIT
#include "weir/base/text.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace weir {
namespace {

using testing::HasError;
using testing::HasValue;

TEST(ParseBytes, ReadsIecSizes) {
  struct Case {
    const char* text;
    std::uint64_t bytes;
  };
  for (const Case& c : {Case{"0", 0},
                        {"4096", 4096},
                        {"64k", 65536},
                        {"512M", 512 * kMiB},
                        {"1.5G", 1536 * kMiB},
                        {"1GiB", kGiB},
                        {"2gb", 2 * kGiB},
                        {"7B", 7},
                        {"1T", 1024 * kGiB}})
    EXPECT_THAT(parse_bytes(c.text), HasValue(Bytes(c.bytes))) << c.text;
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
  for (const char* text : {"",          "M",   "-1",   "+1",    "1e9",
                           "1X",        "1 G", " 1",   "1..5G", ".5G",
                           "5.",        "iB",  "0x10", "1Gi b", "99999999999999999999",
                           "99999999T", "nan", "inf",  "max",   "1ib"})
    EXPECT_THAT(parse_bytes(text), HasError(ErrorKind::invalid)) << text;
}

TEST(ParseDuration, ReadsTheCommonUnits) {
  using std::chrono::microseconds;
  EXPECT_THAT(parse_duration("30s"), HasValue(microseconds(30'000'000)));
  EXPECT_THAT(parse_duration("1.5ms"), HasValue(microseconds(1'500)));
  EXPECT_THAT(parse_duration("100us"), HasValue(microseconds(100)));
  EXPECT_THAT(parse_duration("2m"), HasValue(microseconds(120'000'000)));
}

TEST(ParseDuration, RefusesABareNumber) {
  for (const char* text : {"30", "", "s", "-1s", "1 s", "1d", "1e3s"})
    EXPECT_THAT(parse_duration(text), HasError(ErrorKind::invalid)) << text;
}

TEST(FormatBytes, KeepsFourCharactersAndTheUnit) {
  EXPECT_EQ(format_bytes(Bytes(17)), "17");
  EXPECT_EQ(format_bytes(Bytes(1024)), "1K");
  EXPECT_EQ(format_bytes(Bytes(1536 * kMiB)), "1.5G");
  EXPECT_EQ(format_bytes(Bytes(1023 * kMiB)), "1.0G");
}

TEST(Nearest, OffersTheSwappedAndTheContained) {
  EXPECT_EQ(nearest("wbe", {"web", "db"}), std::vector<std::string>{"web"});
  EXPECT_EQ(nearest("web", {"shop-web-1", "cache"}), std::vector<std::string>{"shop-web-1"});
  EXPECT_TRUE(nearest("zzzz", {"web", "db"}).empty());
}

TEST(GlobMatch, KnowsStarsAndQuestionMarks) {
  EXPECT_TRUE(glob_match("web-*", "web-1"));
  EXPECT_TRUE(glob_match("*b?", "webs"));
  EXPECT_FALSE(glob_match("web-*", "web"));
  EXPECT_TRUE(glob_match("**", ""));
  EXPECT_FALSE(glob_match("a[b]", "ab"));
}

TEST(Words, DropsRunsOfBlanks) { EXPECT_EQ(words("  a \n b\t"), (std::vector<std::string_view>{"a", "b"})); }

TEST(LimitOrder, PutsUnlimitedLast) {
  EXPECT_LT(Limit(Bytes(5)), Limit<Bytes>::unlimited());
  EXPECT_LT(Limit(Bytes(5)), Limit(Bytes(6)));
  EXPECT_FALSE(Limit<Bytes>::unlimited() < Limit<Bytes>::unlimited());
}

TEST(FormatUtc, IsRfc3339) {
  EXPECT_EQ(format_utc(std::chrono::seconds(1'700'000'000) + std::chrono::microseconds(123)),
            "2023-11-14T22:13:20.000123Z");
}

}  // namespace
}  // namespace weir
