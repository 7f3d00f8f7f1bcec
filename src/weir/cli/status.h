// SPDX-License-Identifier: MIT
#pragma once
// What Weir has going on this host, gathered and shown: one section a kind of thing.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/units.h"
#include "weir/limits/recent.h"
#include "weir/limits/sync_record.h"

namespace weir::cli {

struct HostStatus {
  struct Differing {
    std::string name;
    std::vector<std::string> how;  ///< "docker: NanoCpus is 1000000000, not 1500000000"
  };
  std::chrono::nanoseconds now{0};
  std::vector<limits::Listed> limits;  ///< the newest change in force of each knob
  std::vector<Differing> differing;    ///< of those, whose runtime says something else
  std::vector<std::string> unasked;    ///< why a runtime could not be asked
  std::vector<limits::SyncRecord> syncs;
  std::optional<Pid> guard;  ///< the running weir guard
  std::size_t damaged = 0;   ///< sync records that could not be read
};

/// Sections with a line for each thing that needs one, at most `columns` wide.
std::string status_text(const HostStatus& status, std::size_t columns, bool colour);

}  // namespace weir::cli
