// SPDX-License-Identifier: MIT
#include "weir/proc/kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "weir/base/fd.h"
#include "weir/base/text.h"

namespace weir::proc {
namespace {

constexpr std::size_t kMostRecords = 200'000;  // the largest log buffer holds fewer

/// The text between two marks; nullopt if either is missing.
std::optional<std::string_view> between(std::string_view text, std::string_view from, std::string_view to) {
  const std::size_t start = text.find(from);
  if (start == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(start + from.size());
  const std::size_t end = rest.find(to);
  if (end == std::string_view::npos) return std::nullopt;
  return rest.substr(0, end);
}

}  // namespace

std::optional<OomKill> parse_oom_record(std::string_view record) {
  // PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/a,task_memcg=/a/b,task=COMM,pid=7,uid=0
  const std::size_t semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  const std::string_view message = record.substr(semicolon + 1);
  if (!message.starts_with("oom-kill:constraint=")) return std::nullopt;
  const auto prefix = split(record.substr(0, semicolon), ',');
  if (prefix.size() < 3) return std::nullopt;
  const auto micros = parse_u64(prefix[2]);
  const auto task_cgroup = between(message, ",task_memcg=", ",task=");
  const std::size_t pid_at = message.rfind(",pid=");  // the last: a comm may hold one of its own
  if (!micros || *micros > static_cast<std::uint64_t>(INT64_MAX) || !task_cgroup ||
      pid_at == std::string_view::npos)
    return std::nullopt;
  const std::size_t comm_at = message.find(",task=") + 6;
  if (comm_at > pid_at) return std::nullopt;
  const std::string_view pid_text = message.substr(pid_at + 5);
  const auto pid = parse_u64(pid_text.substr(0, pid_text.find_first_not_of("0123456789")));
  if (!pid || *pid > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    return std::nullopt;
  return OomKill{.since_boot = std::chrono::microseconds(*micros),
                 .cgroup = std::string(*task_cgroup),
                 .limit_cgroup = std::string(between(message, ",oom_memcg=", ",task_memcg=").value_or("")),
                 .comm = std::string(message.substr(comm_at, pid_at - comm_at)),
                 .pid = Pid(static_cast<std::int32_t>(*pid))};
}

Result<std::vector<OomKill>> read_oom_kills(const std::string& kmsg) {
  const Fd fd(::open(kmsg.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return std::unexpected(errno_error(errno, kmsg, "open the kernel's log"));
  std::vector<OomKill> kills;
  char buffer[8192];  // one record a read; EINVAL if it does not fit
  for (std::size_t i = 0; i < kMostRecords; ++i) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL))
      continue;  // EPIPE: overwritten meanwhile
    if (n < 0 && errno == EAGAIN) return kills;
    if (n < 0) return std::unexpected(errno_error(errno, kmsg, "read the kernel's log"));
    if (n == 0) return kills;
    if (auto kill = parse_oom_record({buffer, static_cast<std::size_t>(n)}))
      kills.push_back(std::move(*kill));
  }
  return kills;
}

}  // namespace weir::proc
