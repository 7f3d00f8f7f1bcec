// SPDX-License-Identifier: MIT
#include "weir/cli/look.h"

#include <thread>

namespace weir::cli {

std::vector<Snapshot> look_at(const cgroup::Dir& root, std::vector<Container> containers,
                              std::chrono::nanoseconds window) {
  using std::chrono::steady_clock;
  struct First {
    Snapshot snapshot;
    steady_clock::time_point at;
  };
  cgroup::Reader reader(root);
  std::vector<First> firsts;
  for (Container& container : containers) {
    const auto at = steady_clock::now();
    if (auto reading = reader.read(container.cgroup))
      firsts.push_back(
          {{.container = std::move(container), .reading = std::move(*reading), .later = {}}, at});
  }
  std::vector<Snapshot> snapshots;
  snapshots.reserve(firsts.size());
  if (window.count() > 0 && !firsts.empty()) std::this_thread::sleep_until(firsts.front().at + window);
  for (First& first : firsts) {
    if (window.count() > 0) {
      const auto at = steady_clock::now();
      auto cpu = reader.read_cpu(first.snapshot.container.cgroup);
      if (!cpu || cpu->id != first.snapshot.reading.id) continue;
      first.snapshot.later = Later{.cpu = *cpu, .window = at - first.at};
    }
    snapshots.push_back(std::move(first.snapshot));
  }
  return snapshots;
}

}  // namespace weir::cli
