// SPDX-License-Identifier: MIT
#include "weir/cli/clock_text.h"

#include <fmt/chrono.h>

#include <ctime>

namespace weir::cli {

std::string clock_text(std::chrono::nanoseconds time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  std::tm tm{};
  ::localtime_r(&seconds, &tm);
  return fmt::format("{:%H:%M:%S}", tm);
}

}  // namespace weir::cli
