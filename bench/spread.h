// SPDX-License-Identifier: MIT
#pragma once
// Spread: median and quartiles of a handful of measurements, for the programs in bench/.

#include <algorithm>
#include <vector>

namespace weir::bench {

struct Spread {
  double q1 = 0, median = 0, q3 = 0;
};

inline Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

}  // namespace weir::bench
