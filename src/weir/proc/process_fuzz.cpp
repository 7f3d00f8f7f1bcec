// SPDX-License-Identifier: MIT
#include "weir/proc/host.h"
#include "weir/proc/kernel_log.h"
#include "weir/proc/process.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::proc::parse_anonymous(text, weir::Bytes(4096));
  (void)weir::proc::parse_cgroup_path(text);
  (void)weir::proc::parse_cpu_times(text);
  (void)weir::proc::parse_load(text);
  (void)weir::proc::parse_oom_record(text);
  (void)weir::proc::parse_stat(text);
  (void)weir::proc::parse_status_uid(text);
  return 0;
}
