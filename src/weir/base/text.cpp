// SPDX-License-Identifier: MIT
#include "weir/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <numeric>

namespace weir {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

/// Splits "1.5GiB" into its number and its unit.
std::pair<std::string_view, std::string_view> number_and_unit(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  return {text.substr(0, end), text.substr(end)};
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return pieces;
    text.remove_prefix(first);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  if (text.front() == '.' || text.back() == '.') return std::nullopt;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Result<Bytes> parse_bytes(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return std::unexpected(
        make_error(ErrorKind::invalid, text, why, "sizes look like 512M, 1.5G or 4096 (powers of 1024)"));
  };
  const auto [digits, suffix] = number_and_unit(text);
  std::string unit = lowered(suffix);
  if (unit.ends_with("ib"))
    unit.resize(unit.size() - 2);
  else if (unit.ends_with("b"))
    unit.resize(unit.size() - 1);
  static constexpr std::string_view kUnits[] = {"", "k", "m", "g", "t", "p"};
  const auto* found = std::find(std::begin(kUnits), std::end(kUnits), unit);
  if (found == std::end(kUnits)) return bad("is not a size: unknown unit");
  if (unit.empty() && lowered(suffix) == "ib") return bad("is not a size: unknown unit");
  const auto shift = static_cast<unsigned>(10 * (found - std::begin(kUnits)));
  if (const auto whole = parse_u64(digits)) {
    if (shift != 0 && *whole > (UINT64_MAX >> shift)) return bad("is too large");
    return Bytes(*whole << shift);
  }
  const auto number = parse_decimal(digits);
  if (!number) return bad("is not a size");
  const double bytes = std::ldexp(*number, static_cast<int>(shift));
  if (bytes >= 0x1p63) return bad("is too large");
  return Bytes(static_cast<std::uint64_t>(bytes));
}

Result<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto [digits, unit] = number_and_unit(text);
  const auto number = parse_decimal(digits);
  struct Unit {
    std::string_view name;
    double micros;
  };
  static constexpr Unit kUnits[] = {{"us", 1},   {"ms", 1e3},   {"s", 1e6},
                                    {"m", 60e6}, {"min", 60e6}, {"h", 3600e6}};
  const auto* found =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == unit; });
  if (!number || found == std::end(kUnits))
    return std::unexpected(
        make_error(ErrorKind::invalid, text, "is not a duration", "durations look like 30s, 500ms or 2m"));
  const double micros = *number * found->micros;
  if (micros > 1e15) return std::unexpected(make_error(ErrorKind::invalid, text, "is too long"));
  return std::chrono::microseconds(std::llround(micros));
}

std::string format_bytes(Bytes bytes) {
  static constexpr std::string_view kUnits[] = {"", "K", "M", "G", "T", "P", "E"};
  auto value = static_cast<double>(bytes.count());
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  if (unit > 0 && value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  const bool whole = unit == 0 || value >= 99.95 || value == std::floor(value);
  return whole ? fmt::format("{:.0f}{}", value, kUnits[unit]) : fmt::format("{:.1f}{}", value, kUnits[unit]);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto ns = static_cast<double>(duration.count());
  const double size = std::abs(ns);
  if (size < 1e3) return fmt::format("{:.0f} ns", ns);
  if (size < 1e6) return fmt::format("{:.3g} us", ns / 1e3);
  if (size < 1e9) return fmt::format("{:.3g} ms", ns / 1e6);
  if (size < 120e9) return fmt::format("{:.3g} s", ns / 1e9);
  if (size < 7200e9) return fmt::format("{:.0f} min", ns / 60e9);
  if (size < 172800e9) return fmt::format("{:.1f} h", ns / 3600e9);
  return fmt::format("{:.0f} d", ns / 86400e9);
}

std::string format_utc(std::chrono::nanoseconds since_epoch) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t time = seconds.count();
  struct tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (since_epoch - seconds).count() / 1000);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, 128);
  b = b.substr(0, 128);
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t count) {
  std::vector<std::pair<std::size_t, const std::string*>> ranked;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    if (word.size() >= 3 && candidate.find(word) != std::string::npos)
      distance = std::min<std::size_t>(distance, 1);
    if (distance <= std::max<std::size_t>(1, (word.size() + 1) / 3))
      ranked.emplace_back(distance, &candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::string> names;
  for (const auto& [distance, name] : ranked) {
    if (names.size() == count) break;
    if (std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(*name);
  }
  return names;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && pattern[p] == text[t]))) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace weir
