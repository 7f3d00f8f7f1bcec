// SPDX-License-Identifier: MIT
#pragma once
// What each metric of a frame is called outside: one table, by which the Prometheus text is written and the
// reference is checked. Names follow the conventions of Prometheus: base units, _total for counters. No I/O.
// (The folder is `export`; that is a keyword, so the namespace is `exports`.)

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/model/frame.h"

namespace weir::exports {

enum class Scope : std::uint8_t { container, host };
/// Who can have it.
enum class Of : std::uint8_t { containers, host, both };

/// One metric as a series. Those with the same name are one family and stand together in the table.
struct SeriesName {
  Metric metric;
  std::string_view name;    ///< behind "weir_container_" and "weir_host_"
  std::string_view labels;  ///< what tells the series of a family apart: `event="low"`; "" where it is alone
  Of of;
  std::string_view help;                            ///< of the family, with its first series
  std::string_view host_name = {}, host_help = {};  ///< where the host's says something else
};
const std::array<SeriesName, kMetrics>& series_names();
/// Whether the family that begins with `first` is one of `scope`.
bool is_of(const SeriesName& first, Scope scope);

/// "weir_container_cpu_usage_seconds_total"
std::string family_name(const SeriesName& series, Scope scope);

struct Family {
  std::string name;
  MetricKind kind = MetricKind::gauge;
  std::string help;
  bool operator==(const Family&) const = default;
};
/// Every family that a frame of `scope` can have, in the order of the text.
std::vector<Family> families(Scope scope);
/// Those that speak of Weir itself.
std::vector<Family> own_families();

}  // namespace weir::exports
