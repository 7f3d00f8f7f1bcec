// SPDX-License-Identifier: MIT
#include "weir/latency/scale.h"

#include <algorithm>

namespace weir::latency {

LogScale::LogScale(std::uint64_t least_ns, std::uint64_t most_ns)
    : first_(static_cast<int>(
          std::floor(std::log10(static_cast<double>(std::max<std::uint64_t>(least_ns, 1)))))),
      last_(
          static_cast<int>(std::floor(std::log10(static_cast<double>(std::max<std::uint64_t>(most_ns, 1))))) +
          1) {}

double LogScale::position(std::uint64_t ns) const {
  const double decade = std::log10(static_cast<double>(std::max<std::uint64_t>(ns, 1)));
  return std::clamp((decade - first_) / decades(), 0.0, 1.0);
}

std::vector<std::size_t> LogScale::count(const std::vector<std::uint64_t>& values, std::size_t cells) const {
  std::vector<std::size_t> counts(cells);
  for (const std::uint64_t value : values) {
    const auto cell = static_cast<std::size_t>(position(value) * static_cast<double>(cells));
    ++counts.at(std::min(cell, cells - 1));
  }
  return counts;
}

}  // namespace weir::latency
