// SPDX-License-Identifier: MIT
#include "weir/proc/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <limits>
#include <optional>
#include <utility>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::proc {
namespace {

/// PF_KTHREAD of include/linux/sched.h, in field 9 of /proc/PID/stat.
constexpr std::uint64_t kKernelThread = 0x0020'0000;

std::unexpected<Error> bad(std::string_view file) {
  return std::unexpected(make_error(ErrorKind::failed, file, "holds what weir does not understand"));
}

std::optional<Pid> parse_pid(std::string_view text) {
  const auto number = parse_u64(text);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    return std::nullopt;
  return Pid(static_cast<std::int32_t>(*number));
}

Result<std::string> read_pid_file(const std::string& proc, Pid pid, std::string_view file) {
  auto text = read_file(fmt::format("{}/{}/{}", proc, pid.count(), file));
  if (text) return text;
  // No such directory, or ESRCH from a read of a process that ended since.
  Error error = std::move(text).error();
  if (error.kind == ErrorKind::absent) error.kind = ErrorKind::gone;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::string> parse_cgroup_path(std::string_view proc_cgroup) {
  for (const std::string_view line : split(proc_cgroup, '\n')) {
    if (!line.starts_with("0::")) continue;
    const std::string_view path = line.substr(3);
    if (path.ends_with(" (deleted)"))
      return std::unexpected(make_error(ErrorKind::gone, path, "the process's cgroup has been removed"));
    if (path.starts_with("/.."))
      return std::unexpected(
          make_error(ErrorKind::invalid, path, "lies outside this cgroup namespace",
                     "run weir in the host's cgroup namespace (docker run --cgroupns host)"));
    if (!path.starts_with('/')) return bad("/proc/PID/cgroup");
    return std::string(path);
  }
  return std::unexpected(make_error(ErrorKind::absent, "/proc/PID/cgroup", "has no cgroup2 line"));
}

Result<Process> parse_stat(std::string_view proc_stat) {
  // 4242 (comm) S 1 … ; flags are field 9, starttime field 22, the 7th and the 20th after the comm.
  const std::size_t open = proc_stat.find('('), close = proc_stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return bad("/proc/PID/stat");
  const auto pid = parse_pid(trim(proc_stat.substr(0, open)));
  const auto fields = words(proc_stat.substr(close + 1));
  if (!pid || fields.size() < 20) return bad("/proc/PID/stat");
  const auto parent = parse_pid(fields[1]);
  const auto flags = parse_u64(fields[6]);
  const auto start = parse_u64(fields[19]);
  if (!parent || !flags || !start) return bad("/proc/PID/stat");
  return Process{.pid = *pid,
                 .parent = *parent,
                 .start = StartTicks(*start),
                 .comm = std::string(proc_stat.substr(open + 1, close - open - 1)),
                 .uid = 0,
                 .kernel = (*flags & kKernelThread) != 0};
}

Result<uid_t> parse_status_uid(std::string_view proc_status) {
  for (const std::string_view line : split(proc_status, '\n')) {
    if (!line.starts_with("Uid:")) continue;
    const auto fields = words(line.substr(4));
    const auto uid = fields.size() == 4 ? parse_u64(fields[0]) : std::nullopt;
    if (!uid || *uid > std::numeric_limits<uid_t>::max()) break;
    return static_cast<uid_t>(*uid);
  }
  return bad("/proc/PID/status");
}

Result<std::string> read_cgroup_path(const std::string& proc, Pid pid) {
  WEIR_TRY(const std::string text, read_pid_file(proc, pid, "cgroup"));
  return parse_cgroup_path(text);
}

Result<Process> read_process(const std::string& proc, Pid pid) {
  WEIR_TRY(const std::string stat, read_pid_file(proc, pid, "stat"));
  WEIR_TRY(Process process, parse_stat(stat));
  WEIR_TRY(const std::string status, read_pid_file(proc, pid, "status"));
  WEIR_TRY(process.uid, parse_status_uid(status));
  return process;
}

Result<Bytes> parse_anonymous(std::string_view statm, Bytes page) {
  const auto fields = words(statm);
  const auto resident = fields.size() > 2 ? parse_u64(fields[1]) : std::nullopt;
  const auto shared = fields.size() > 2 ? parse_u64(fields[2]) : std::nullopt;
  constexpr std::uint64_t kMostPages = std::uint64_t{1} << 40U;
  if (!resident || !shared || *resident > kMostPages)
    return std::unexpected(make_error(ErrorKind::failed, "statm", "is not understood"));
  return Bytes(*resident > *shared ? (*resident - *shared) * page.count() : 0);
}

Result<Bytes> read_anonymous(const std::string& proc, Pid pid) {
  WEIR_TRY(const std::string text, read_pid_file(proc, pid, "statm"));
  return parse_anonymous(text, Bytes(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))));
}

}  // namespace weir::proc
