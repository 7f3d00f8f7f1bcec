// SPDX-License-Identifier: MIT
#include "weir/cgroup/mount.h"
#include "weir/cgroup/stat.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::cgroup::parse_cpu_stat(text);
  (void)weir::cgroup::parse_cpu_stat_local(text);
  (void)weir::cgroup::parse_memory_events(text);
  (void)weir::cgroup::parse_pressure(text);
  (void)weir::cgroup::parse_io_stat(text);
  (void)weir::cgroup::cgroup2_mounts(text);
  return 0;
}
