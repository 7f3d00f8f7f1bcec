// SPDX-License-Identifier: MIT
#include "weir/cgroup/flat.h"

#include <gmock/gmock.h>

#include <map>
#include <string>

namespace weir::cgroup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::array<std::string_view, 3> kKeys = {"usage", "user", "system"};

std::optional<std::map<std::size_t, std::uint64_t>> scan(std::string_view text) {
  std::map<std::size_t, std::uint64_t> found;
  if (!scan_flat(text, kKeys, [&](std::size_t n, std::uint64_t value) { found[n] = value; }))
    return std::nullopt;
  return found;
}

TEST(TakeNumber, StopsAtTheFirstThatIsNoDigit) {
  std::string_view text = "18446744073709551615 next";
  EXPECT_EQ(take_number(text), UINT64_MAX);
  EXPECT_EQ(text, " next");
}

TEST(TakeNumber, RefusesWhatIsNoneOrTooLarge) {
  for (std::string_view text : {"", "x", "-1", " 1", "18446744073709551616"})
    EXPECT_FALSE(take_number(text)) << text;
}

TEST(ScanFlat, FindsTheKeysInAnyOrderAndPassesOverOthers) {
  EXPECT_THAT(*scan("usage 1\nuser 2\nsystem 3\n"), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
  EXPECT_THAT(*scan("system 3\nnew 9\nusage 1\nusageful 7\n"), ElementsAre(Pair(0, 1), Pair(2, 3)));
  EXPECT_THAT(*scan("usage 1"), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(*scan(""), IsEmpty());
}

TEST(ScanFlat, RefusesLinesOfAnotherForm) {
  for (const char* text : {"usage\n", " 1\n", "usage x\n", "usage 1 2\n", "usage 1\n\n", "usage \n"})
    EXPECT_FALSE(scan(text)) << text;
}

}  // namespace
}  // namespace weir::cgroup
