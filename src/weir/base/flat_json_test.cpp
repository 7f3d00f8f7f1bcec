// SPDX-License-Identifier: MIT
#include "weir/base/flat_json.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"
#include <iomanip>
#include <sstream>
#include <string>

namespace weir {
namespace {

using testing::HasError;
using ::testing::Optional;
using testing::Succeeds;

constexpr std::size_t kCap = 4096;

TEST(FlatJson, ReadsNumbersAndStringsBySectionAndKey) {
  FlatJson json;
  ASSERT_THAT(json.read(R"({"n": 3, "view": {"n": -0.1, "s": "a"}, "s": "b", "big": 1e3})", "x", kCap),
              Succeeds());
  EXPECT_THAT(json.number("", "n"), Optional(3.0));
  EXPECT_THAT(json.integer("", "n"), Optional(3));
  EXPECT_THAT(json.number("view", "n"), Optional(-0.1));
  EXPECT_EQ(json.integer("view", "n"), std::nullopt);
  EXPECT_EQ(json.string("view", "s"), "a");
  EXPECT_EQ(json.string("", "s"), "b");
  EXPECT_THAT(json.number("", "big"), Optional(1000.0));
  EXPECT_TRUE(json.has_section("view"));
  EXPECT_FALSE(json.has_section("n"));
  EXPECT_EQ(json.number("view", "big"), std::nullopt);
  EXPECT_EQ(json.string("", "n"), "");
}

TEST(FlatJson, TakesNumbersExactly) {
  FlatJson json;
  for (const double value : {0.1, 1.0 / 3, 0.07250000000000001, 5e-324, 1.7976931348623157e308, 1e22}) {
    ASSERT_THAT(json.read("{\"v\":" + (std::ostringstream() << std::setprecision(17) << value).str() + "}",
                          "x", kCap),
                Succeeds());
    EXPECT_THAT(json.number("", "v"), Optional(value));
  }
  ASSERT_THAT(json.read(R"({"v":18446744073709551615})", "x", kCap), Succeeds());
  EXPECT_THAT(json.number("", "v"), Optional(18446744073709551615.0));
  EXPECT_THAT(json.read(R"({"v":1e999})", "x", kCap), HasError(ErrorKind::invalid));
}

TEST(FlatJson, PassesOverWhatIsNestedDeeper) {
  FlatJson json;
  ASSERT_THAT(
      json.read(R"({"a":[1,{"b":2},[3]],"c":{"d":{"e":4},"f":5},"g":null,"h":true,"i":6})", "x", kCap),
      Succeeds());
  EXPECT_TRUE(json.has("", "a"));
  EXPECT_TRUE(json.has("", "g"));
  EXPECT_FALSE(json.has("", "b"));
  EXPECT_FALSE(json.has_section("d"));
  EXPECT_THAT(json.number("c", "f"), Optional(5.0));
  EXPECT_THAT(json.number("", "i"), Optional(6.0));
  EXPECT_EQ(json.number("", "e"), std::nullopt);
  EXPECT_EQ(json.number("", "h"), std::nullopt);
}

TEST(FlatJson, UnderstandsEscapesInKeysAndStrings) {
  FlatJson json;
  ASSERT_THAT(
      json.read(R"({"n\u0061me":"a\n\u00e9\"b","long":"0123456789012345678901234567890123456789\\x"})", "x",
                kCap),
      Succeeds());
  EXPECT_EQ(json.string("", "name"), "a\n\xc3\xa9\"b");
  EXPECT_EQ(json.string("", "long"), "0123456789012345678901234567890123456789\\x");
}

TEST(FlatJson, ForgetsWhatItReadBefore) {
  FlatJson json;
  ASSERT_THAT(json.read(R"({"a":1,"view":{"b":2}})", "x", kCap), Succeeds());
  ASSERT_THAT(json.read(R"({"c":3})", "x", kCap), Succeeds());
  EXPECT_FALSE(json.has("", "a"));
  EXPECT_FALSE(json.has_section("view"));
  EXPECT_THAT(json.read("{", "x", kCap), HasError(ErrorKind::invalid));
  EXPECT_FALSE(json.has("", "c"));
}

TEST(FlatJson, RefusesWhatIsNoObject) {
  FlatJson json;
  for (const std::string text :
       {"", "[]", "[{\"a\":1}]", "1", "{}x", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "\xff"})
    EXPECT_THAT(json.read(text, "x", kCap), HasError(ErrorKind::invalid)) << text;
  EXPECT_THAT(json.read(std::string(kCap + 1, ' '), "x", kCap), HasError(ErrorKind::invalid));
  EXPECT_THAT(json.read(std::string(1000, '[') + std::string(1000, ']'), "x", kCap),
              HasError(ErrorKind::invalid));
  EXPECT_THAT(json.read("{}", "x", kCap), Succeeds());
}

}  // namespace
}  // namespace weir
