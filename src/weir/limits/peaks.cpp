// SPDX-License-Identifier: MIT
#include "weir/limits/peaks.h"

#include <algorithm>
#include <cstdint>

namespace weir::limits {

Bytes Peaks::growth(const std::map<Pid, Bytes>& now) {
  std::erase_if(most_, [&](const auto& entry) { return !now.contains(entry.first); });
  std::uint64_t growth = 0;
  for (const auto& [pid, bytes] : now) {
    Bytes& most = most_[pid];
    most = std::max(most, bytes);
    growth += most.count() - bytes.count();
  }
  return Bytes(growth);
}

}  // namespace weir::limits
