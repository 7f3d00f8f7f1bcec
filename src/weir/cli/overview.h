// SPDX-License-Identifier: MIT
#pragma once
// Overview: what bare `weir` says on one screen: is the host overloaded, who suffers and why, kills and limit
// changes of the last hour, and what to type next. Judging is pure; overview() asks the host.

#include <optional>
#include <string>
#include <vector>

#include "weir/cli/command.h"
#include "weir/cli/ls_rows.h"
#include "weir/limits/recent.h"
#include "weir/proc/kernel_log.h"

namespace weir::cli {

struct HostState {
  std::uint32_t cpus = 0;
  std::optional<double> load;  ///< over one minute
  std::optional<double> busy;  ///< share of all CPUs over the window, 0..1
  cgroup::Pressure cpu, memory, io;
};

/// A kill with how long ago it was.
struct DatedKill {
  proc::OomKill kill;
  std::chrono::nanoseconds ago{0};
};

struct Overview {
  HostState host;
  std::vector<Row> rows;  ///< all of them, worst first
  std::optional<std::vector<DatedKill>>
      kills;                            ///< of the last hour; nullopt: the kernel's log may not be read
  std::vector<limits::Listed> changes;  ///< of the last hour
};

/// What the host has too little of: "cpu", "memory", "io"; empty where it is not overloaded. Pressure on the
/// CPU alone does not say so: throttling by limits raises it as well, so the CPUs must be busy too.
std::vector<std::string> overloaded(const HostState& host);
/// The command that helps further, ready to be pasted.
std::string next_command(const std::vector<Row>& rows);
/// One screen of text.
std::string overview_text(const Overview& overview, std::size_t columns, bool colour);
std::string overview_json(const Overview& overview);

/// Looks at the host for half a second and prints.
int overview(const Session& session);

}  // namespace weir::cli
