// SPDX-License-Identifier: MIT
// Every module, also those with a library of their own behind them (libbpf, Asio).
#include <iostream>

#include "weir/base/version.h"
#include "weir/bpf/probe.h"
#include "weir/cgroup/dir.h"
#include "weir/container/target.h"

int main() {
  const auto target = weir::container::parse_target("label:tier=db");
  if (!target) return 1;
  // Whether they work depends on the host; here they need only be there.
  const auto probed = weir::bpf::try_attach(weir::bpf::ProgramKind::tp_btf, "sched_switch");
  const auto root = weir::cgroup::open_root("");
  std::cout << "weir " << weir::kVersion << ", tp_btf: " << (probed ? "yes" : probed.error().message())
            << ", cgroup2: " << (root ? "yes" : root.error().message()) << '\n';
}
