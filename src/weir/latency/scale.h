// SPDX-License-Identifier: MIT
#pragma once
// LogScale: durations spread over a row of cells, each decade as wide as any other. Pure.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::latency {

class LogScale {
 public:
  /// Whole decades around [least, most]; at least one.
  LogScale(std::uint64_t least_ns, std::uint64_t most_ns);

  [[nodiscard]] int first_decade() const { return first_; }  ///< 3: begins at 10^3 ns
  [[nodiscard]] int decades() const { return last_ - first_; }
  /// 0 at the begin, 1 at the end.
  [[nodiscard]] double position(std::uint64_t ns) const;
  /// How many of the values fall into each of `cells` cells.
  [[nodiscard]] std::vector<std::size_t> count(const std::vector<std::uint64_t>& values,
                                               std::size_t cells) const;

 private:
  int first_, last_;
};

}  // namespace weir::latency
