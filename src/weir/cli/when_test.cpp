// SPDX-License-Identifier: MIT
// Times as people write them.
#include "weir/cli/when.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"
#include <cstdlib>
#include <ctime>

#include "weir/cli/clock_text.h"

namespace weir::cli {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// In a zone for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* was = std::getenv("TZ")) was_ = was;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    if (was_.empty())
      ::unsetenv("TZ");
    else
      ::setenv("TZ", was_.c_str(), 1);
    ::tzset();
  }

 private:
  std::string was_;
};

constexpr nanoseconds kNow = 1'795'348'800s + 500ms;  // 2026-11-22 12:00:00.5 UTC

TEST(When, TakesWhatPeopleWrite) {
  const Zone utc("UTC0");
  const struct {
    const char* text;
    seconds time;
  } kGood[] = {
      {"03:12", 1'795'317'120s},
      {"03:12:30", 1'795'317'150s},
      {" 03:12:30.25 ", 1'795'317'150s},
      {"12:00:00", 1'795'348'800s},
      {"12:00:01", 1'795'262'401s},  // still to come: yesterday's
      {"23:59", 1'795'305'540s},
      {"2026-11-21", 1'795'219'200s},
      {"2026-11-21 03:12", 1'795'230'720s},
      {"2026-11-21T03:12:30", 1'795'230'750s},
      {"2026-11-21T03:12:30Z", 1'795'230'750s},
      {"2026-11-21T03:12:30.123456Z", 1'795'230'750s},
      {"2026-11-21T03:12:30+01:30", 1'795'225'350s},
      {"2026-11-21T03:12-08:00", 1'795'259'520s},
      {"2024-02-29 00:00", 1'709'164'800s},
  };
  for (const auto& [text, time] : kGood)
    EXPECT_THAT(parse_when(text, kNow), weir::testing::HasValue(nanoseconds(time))) << text;
}

TEST(When, TakesHowLongAgo) {
  EXPECT_EQ(parse_when("now", kNow), kNow);
  for (const char* text : {"10m", "-10m", "10m ago", "-10m ago", "600s", "10min"})
    EXPECT_EQ(parse_when(text, kNow), kNow - 10min) << text;
  EXPECT_EQ(parse_when("1.5h", kNow), kNow - 90min);
  EXPECT_EQ(parse_when("2d", kNow), kNow - 48h);
}

TEST(When, GoesByTheLocalClock) {
  const Zone zone("XST-2");  // two hours ahead: it is 14:00
  EXPECT_EQ(parse_when("13:30", kNow), kNow - 30min - 500ms);
  EXPECT_EQ(parse_when("14:30", kNow), kNow + 30min - 24h - 500ms);
  EXPECT_EQ(parse_when("2026-11-22 14:00", kNow), kNow - 500ms);
  EXPECT_EQ(parse_when("2026-11-22T12:00Z", kNow), kNow - 500ms);
}

TEST(When, RefusesTheRestAndSaysWhatItWouldTake) {
  for (const char* text : {"",
                           "3:12",
                           "03:1",
                           "24:00",
                           "03:60",
                           "03:12:60",
                           "03:12:3",
                           "03:12:30.",
                           "03:12x",
                           "03:12Z",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-11-31 00:00",
                           "2026-11-21 3:12",
                           "2026-11-21T",
                           "2026-11-21T03:12:30+1",
                           "2026-11-21T03:12:30Zx",
                           "1969-01-01",
                           "10",
                           "ten minutes ago",
                           "ago",
                           "-",
                           "--10m",
                           "10 m",
                           "1e3s",
                           "-3d ago ago",
                           "99999999d",
                           "d"}) {
    const auto time = parse_when(text, kNow);
    ASSERT_THAT(time, weir::testing::HasError(ErrorKind::invalid)) << text;
    EXPECT_NE(time.error().hint.find("03:12"), std::string::npos);
  }
}

TEST(When, IsPrintedWithItsDayWhereThatIsAnother) {
  const Zone utc("UTC0");
  EXPECT_EQ(day_clock_text(kNow - 1h, kNow), "11:00:00");
  EXPECT_EQ(day_clock_text(kNow - 13h, kNow), "2026-11-21 23:00:00");
}

}  // namespace
}  // namespace weir::cli
