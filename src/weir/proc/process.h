// SPDX-License-Identifier: MIT
#pragma once
// Process: who a process is and which cgroup it is in, from /proc/PID. Pids are reused: whoever acts on one
// holds a PidFd first and compares `start` (with the boot id, both name a process for good). Every string may
// hold hostile bytes.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/units.h"

namespace weir::proc {

/// Clock ticks since boot at which a process began: field 22 of /proc/PID/stat.
using StartTicks = Quantity<struct StartTicksTag>;

struct Process {
  Pid pid;
  Pid parent;
  StartTicks start;
  std::string comm;     ///< at most 15 bytes; chosen by the process
  uid_t uid = 0;        ///< real user
  bool kernel = false;  ///< a thread of the kernel
};

/// The cgroup2 line of /proc/PID/cgroup ("0::/a/b"): a path as seen from our cgroup namespace. absent: no
/// such line (v1 only); gone: the cgroup was removed ("/a/b (deleted)"); invalid: it lies outside our cgroup
/// namespace ("/../x").
Result<std::string> parse_cgroup_path(std::string_view proc_cgroup);
/// /proc/PID/stat; `uid` stays 0. The comm may hold blanks and parentheses: it ends at the last one.
Result<Process> parse_stat(std::string_view proc_stat);
/// The real user of the line "Uid:" of /proc/PID/status.
Result<uid_t> parse_status_uid(std::string_view proc_status);

/// What /proc/PID/statm says of memory that no file is behind: resident less shared (files and shared
/// memory).
Result<Bytes> parse_anonymous(std::string_view statm, Bytes page);

/// `proc` is the mount point ("/proc"). A process that is not there is gone.
Result<std::string> read_cgroup_path(const std::string& proc, Pid pid);
Result<Process> read_process(const std::string& proc, Pid pid);
Result<Bytes> read_anonymous(const std::string& proc, Pid pid);

}  // namespace weir::proc
