// SPDX-License-Identifier: MIT
#include "weir/cli/clock_text.h"

#include <fmt/chrono.h>

#include <ctime>

namespace weir::cli {

namespace {

std::tm local(std::chrono::nanoseconds time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  std::tm tm{};
  ::localtime_r(&seconds, &tm);
  return tm;
}

}  // namespace

std::string clock_text(std::chrono::nanoseconds time) { return fmt::format("{:%H:%M:%S}", local(time)); }

std::string day_text(std::chrono::nanoseconds time) { return fmt::format("{:%Y-%m-%d}", local(time)); }

std::string day_clock_text(std::chrono::nanoseconds time, std::chrono::nanoseconds now) {
  const std::string day = day_text(time);
  return day == day_text(now) ? clock_text(time) : day + " " + clock_text(time);
}

}  // namespace weir::cli
