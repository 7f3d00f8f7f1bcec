// SPDX-License-Identifier: MIT
#include "weir/cli/when.h"

#include <ctime>
#include <optional>

#include "weir/base/text.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::string_view kForms =
    "03:12, 03:12:30, '2026-11-21 03:12', 2026-11-21T03:12:30Z, 10m, '10m ago'";

std::unexpected<Error> bad(std::string_view text, std::string_view what) {
  return std::unexpected(
      make_error(ErrorKind::invalid, text, what, "times look like " + std::string(kForms)));
}

/// Exactly `digits` digits, at most `most`, from the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits, int most) {
  const auto number = text.size() < digits ? std::nullopt : parse_u64(text.substr(0, digits));
  if (!number || *number > static_cast<std::uint64_t>(most)) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int>(*number);
}
bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

/// "03:12[:30[.5]]" from the front.
bool take_clock(std::string_view& text, struct tm& tm) {
  const auto hour = take_number(text, 2, 23);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_number(text, 2, 59);
  if (!minute) return false;
  tm.tm_hour = *hour;
  tm.tm_min = *minute;
  tm.tm_sec = 0;
  if (!take(text, ':')) return true;
  const auto second = take_number(text, 2, 59);
  if (!second) return false;
  tm.tm_sec = *second;
  if (!take(text, '.')) return true;  // parts of a second are taken off: frames are a second apart
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

bool take_date(std::string_view& text, struct tm& tm) {
  const auto year = take_number(text, 4, 9999);
  if (!year || *year < 1970 || !take(text, '-')) return false;
  const auto month = take_number(text, 2, 12);
  if (!month || *month == 0 || !take(text, '-')) return false;
  const auto day = take_number(text, 2, 31);
  if (!day || *day == 0) return false;
  tm.tm_year = *year - 1900;
  tm.tm_mon = *month - 1;
  tm.tm_mday = *day;
  return true;
}

/// "Z" or "+01:00", whole; the offset to take off.
std::optional<seconds> take_zone(std::string_view text) {
  if (text == "Z" || text == "z") return seconds(0);
  const bool west = !text.empty() && text.front() == '-';
  if (text.empty() || (text.front() != '+' && !west)) return std::nullopt;
  text.remove_prefix(1);
  struct tm clock{};
  if (text.size() != 5 || !take_clock(text, clock)) return std::nullopt;
  const seconds offset(clock.tm_hour * 3600 + clock.tm_min * 60);
  return west ? -offset : offset;
}

/// Local; nullopt where the calendar has no such day, and at a local time that a change of the clocks skips.
std::optional<nanoseconds> local(struct tm tm) {
  const struct tm asked = tm;
  tm.tm_isdst = -1;
  const std::time_t time = ::mktime(&tm);
  if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon) return std::nullopt;
  return seconds(time);
}

std::optional<nanoseconds> ago(std::string_view text) {
  if (text == "now") return nanoseconds(0);
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.ends_with("ago")) text = trim(text.substr(0, text.size() - 3));
  if (text.ends_with('d')) {
    const auto days = parse_u64(text.substr(0, text.size() - 1));
    if (days && *days <= 36'500) return std::chrono::days(*days);
    return std::nullopt;
  }
  const auto span = parse_duration(text);
  return span ? std::optional<nanoseconds>(*span) : std::nullopt;
}

Result<nanoseconds> parse_date(std::string_view text, struct tm tm) {
  std::string_view rest = text;
  if (!take_date(rest, tm)) return bad(text, "is not a time");
  std::optional<seconds> zone;
  if (!rest.empty()) {
    if (!take(rest, 'T') && !take(rest, 't') && !take(rest, ' ')) return bad(text, "is not a time");
    if (!take_clock(rest, tm)) return bad(text, "is not a time");
    if (!rest.empty()) {
      zone = take_zone(rest);
      if (!zone) return bad(text, "is not a time");
    }
  }
  if (!zone) {
    const auto time = local(tm);
    return time ? Result<nanoseconds>(*time) : bad(text, "is a day that there is not");
  }
  const struct tm asked = tm;
  const std::time_t time = ::timegm(&tm);
  if (tm.tm_mday != asked.tm_mday) return bad(text, "is a day that there is not");
  return seconds(time) - *zone;
}

}  // namespace

Result<nanoseconds> parse_when(std::string_view text, nanoseconds now) {
  text = trim(text);
  if (const auto span = ago(text)) return now - *span;
  const std::time_t today = std::chrono::floor<seconds>(now).count();
  struct tm tm{};
  ::localtime_r(&today, &tm);
  std::string_view rest = text;
  if (!take_clock(rest, tm)) {
    tm = {};
    return parse_date(text, tm);
  }
  if (!rest.empty()) return bad(text, "is not a time");
  auto time = local(tm);
  if (time && *time > now) {
    --tm.tm_mday;  // mktime() turns the zeroth into the last of the month before
    tm.tm_isdst = -1;
    time = seconds(::mktime(&tm));
  }
  return time ? Result<nanoseconds>(*time) : bad(text, "is a time that there was not today");
}

}  // namespace weir::cli
