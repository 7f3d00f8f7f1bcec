// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "weir/base/escape.h"
#include "weir/latency/report.h"

namespace weir::latency {

std::string to_csv(const Report& report) {
  std::string csv =
      "method,knob,stage,direction,hook,n,missed,min_ns,mean_ns,p50_ns,p50_low_ns,p50_high_ns,p90_ns,p99_ns,"
      "p999_ns,"
      "max_ns,p50_ratio_to_docker_cli\n";
  for (const Row& row : report.rows) {
    const Summary& s = row.summary;
    std::string ratio;  // empty: docker_cli was not raced
    for (const Ratio& each : report.ratios)
      if (each.method == row.method && each.knob == row.knob && each.stage == row.stage &&
          each.direction == row.direction)
        ratio = fmt::format("{:.2f}", each.p50);
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", info(row.method).name,
                       raced(row.knob).file, to_string(row.stage), to_string(row.direction),
                       csv_field(row.hook), s.n, row.missed, s.min_ns, s.mean_ns, s.p50_ns, s.p50_ci95.low_ns,
                       s.p50_ci95.high_ns, s.p90_ns, s.p99_ns, s.p999_ns, s.max_ns, ratio);
  }
  return csv;
}

}  // namespace weir::latency
