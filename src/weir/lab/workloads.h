// SPDX-License-Identifier: MIT
#pragma once
// The three workloads of the lab, and what each is held to. lab/docker-compose.yml says the same (a test
// compares them).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/units.h"

namespace weir::lab {

inline constexpr unsigned kCpuPercent = 20;
inline constexpr Bytes kMemoryMax{64 * kMiB};
inline constexpr Bytes kIoWriteBps{4'000'000};

enum class Held { cpu, memory, io };

struct Workload {
  Held held;
  std::string_view name;     ///< of the container, of the unit (before .service), of the cgroup
  std::string_view command;  ///< arguments of weir-lab, a blank between two
  std::string_view limit;    ///< as the kernel's file says it; for io without the device
  std::string_view about;    ///< what it wants, and what it gets
};

std::span<const Workload> workloads();
/// The arguments of weir-lab; with `--path directory` where the workload needs a disk and `directory` is not
/// empty.
std::vector<std::string> arguments(const Workload& workload, std::string_view directory = {});

}  // namespace weir::lab
