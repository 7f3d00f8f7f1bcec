// SPDX-License-Identifier: MIT
#pragma once
// Which of two limits holds: the tighter one. cpu.max compares as quota / period, so that different periods
// compare right.

#include "weir/cgroup/knob.h"

namespace weir::cgroup {

inline bool is_unlimited(const CpuMax& value) { return value.quota.is_unlimited(); }
template <typename T>
bool is_unlimited(const Limit<T>& value) {
  return value.is_unlimited();
}

inline bool tighter(const CpuMax& a, const CpuMax& b) {
  if (is_unlimited(a)) return false;
  return is_unlimited(b) || a.cpus().value() < b.cpus().value();
}
template <typename T>
bool tighter(const Limit<T>& a, const Limit<T>& b) {
  return a < b;
}

}  // namespace weir::cgroup
