// SPDX-License-Identifier: MIT
#pragma once
// OOM kills as the kernel's log dates them (/dev/kmsg): memory.events only counts them since the cgroup was
// made. Needs CAP_SYSLOG where kernel.dmesg_restrict is on; the log is a ring, so old kills may have been
// overwritten.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir::proc {

struct OomKill {
  std::chrono::microseconds since_boot{0};
  std::string cgroup;        ///< of the process that was killed
  std::string limit_cgroup;  ///< whose limit was hit; empty: the whole host was out of memory
  std::string comm;          ///< chosen by the process
  Pid pid;
};

/// One record of /dev/kmsg ("6,1234,567890,-;oom-kill:constraint=…"); nullopt for everything else.
std::optional<OomKill> parse_oom_record(std::string_view record);

/// The kills that the log still holds, oldest first.
Result<std::vector<OomKill>> read_oom_kills(const std::string& kmsg = "/dev/kmsg");

}  // namespace weir::proc
