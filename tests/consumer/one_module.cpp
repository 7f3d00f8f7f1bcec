// SPDX-License-Identifier: MIT
// One module alone: what it needs comes with it.
#include <iostream>

#include "weir/cgroup/knob.h"

int main() {
  const auto limit = weir::cgroup::parse_cpu_max("50000 100000");
  if (!limit || limit->cpus().value() != 0.5) return 1;
  std::cout << weir::cgroup::to_kernel(*limit) << '\n';
}
