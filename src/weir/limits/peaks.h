// SPDX-License-Identifier: MIT
#pragma once
// Peaks: what a container would need if all its processes were at their most at the same time. The sum that a
// cgroup shows hides that: processes that peak by turns may one day peak together. Pure.

#include <map>

#include "weir/base/units.h"

namespace weir::limits {

class Peaks {
 public:
  /// Takes in what each process has now; returns how much more it would be with each at the most that was
  /// seen of it. A process that ended is forgotten.
  Bytes growth(const std::map<Pid, Bytes>& now);

 private:
  std::map<Pid, Bytes> most_;
};

}  // namespace weir::limits
