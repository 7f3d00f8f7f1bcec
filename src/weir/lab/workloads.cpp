// SPDX-License-Identifier: MIT
#include "weir/lab/workloads.h"

#include "weir/base/text.h"

namespace weir::lab {
namespace {

constexpr Workload kWorkloads[] = {
    {Held::cpu, "lab-cpu", "cpu --threads 1 --duty 100", "cpu.max=20000 100000",
     "wants a whole CPU, gets a fifth of one"},
    {Held::memory, "lab-memory", "memory --size 40M --cache 48M", "memory.max=67108864",
     "keeps 40M and reads a file of 48M over and over: at its limit, always in reclaim"},
    {Held::io, "lab-io", "io --bytes 16M --block 64K --fsync 4 --rate 8M", "io.max wbps=4000000",
     "wants 8 MiB/s with an fsync every 256 KiB: waits for the disk"},
};

}  // namespace

std::span<const Workload> workloads() { return kWorkloads; }

std::vector<std::string> arguments(const Workload& workload, std::string_view directory) {
  std::vector<std::string> result;
  for (const std::string_view word : words(workload.command)) result.emplace_back(word);
  if (workload.held != Held::cpu && !directory.empty()) {
    result.emplace_back("--path");
    result.emplace_back(directory);
  }
  return result;
}

}  // namespace weir::lab
