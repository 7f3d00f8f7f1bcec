// SPDX-License-Identifier: MIT
#include "weir/cli/open_files.h"

#include <sys/resource.h>

namespace weir::cli {

void allow_open_files() {
  struct rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace weir::cli
