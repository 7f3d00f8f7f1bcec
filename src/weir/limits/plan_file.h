// SPDX-License-Identifier: MIT
#pragma once
// PlanFile: a change of many limits as a file (YAML), for `weir set -f` and `weir apply`. Parsing asks the
// host for nothing but the number of a device that is named by its path.
//
//   reason: the sale begins at nine      # optional
//   for: 2h                              # optional
//   sync: yes                            # optional: Docker and systemd are told as well
//   limits:
//     web: {cpus: 1.5, memory: 512M}
//     'label:tier=batch':
//       cpu.weight: 50
//       io.max: [8:0:wbps=4M, 8:16:riops=100]

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/knob.h"

namespace weir::limits {

struct PlanFile {
  struct Entry {
    std::string target;  ///< in the grammar of targets, not resolved
    std::string where;   ///< "plan.yml:4:3"
    std::vector<cgroup::Setting> settings;
  };
  std::string reason;
  std::string lasts;  ///< "for:", as written
  bool sync = false;
  std::vector<Entry> entries;
};

/// `name` stands before line and column in what is said. Errors: invalid, with file:line:column; an unknown
/// key or knob names the nearest. Nothing is taken from a file that is wrong anywhere.
Result<PlanFile> parse_plan_file(std::string_view text, std::string_view name);

}  // namespace weir::limits
