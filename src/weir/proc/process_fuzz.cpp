// SPDX-License-Identifier: MIT
#include "weir/proc/process.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)weir::proc::parse_cgroup_path(text);
  (void)weir::proc::parse_stat(text);
  (void)weir::proc::parse_status_uid(text);
  return 0;
}
