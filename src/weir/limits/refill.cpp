// SPDX-License-Identifier: MIT
#include "weir/limits/refill.h"

#include <algorithm>
#include <utility>

#include "weir/cgroup/stat.h"

namespace weir::limits {
namespace {

/// The quota of `periods` periods. A journal or a kernel that says nonsense must not overflow.
microseconds allowed(const cgroup::CpuMax& limit, std::uint64_t periods) {
  const double sum = static_cast<double>(limit.quota.value().count()) * static_cast<double>(periods);
  return microseconds(static_cast<std::int64_t>(std::min(sum, 9e18)));
}

std::uint64_t periods_between(const CpuLook& since, const CpuLook& now) {
  return now.periods > since.periods ? now.periods - since.periods : 0;
}

}  // namespace

Result<CpuLook> look_at_cpu(cgroup::File& cpu_stat, const Clock& clock) {
  WEIR_TRY(const std::string text, cpu_stat.read());
  const nanoseconds at = clock.monotonic();
  WEIR_TRY(const cgroup::CpuStat stat, cgroup::parse_cpu_stat(text));
  if (!stat.nr_periods || !stat.usage)
    return std::unexpected(make_error(ErrorKind::absent, "cpu.stat", "the cpu controller is off here"));
  return CpuLook{.at = at, .periods = *stat.nr_periods, .usage = *stat.usage};
}

microseconds owed(const CpuLook& since, const CpuLook& now, const cgroup::CpuMax& limit) {
  if (limit.quota.is_unlimited()) return {};
  const microseconds over = now.usage - since.usage - allowed(limit, periods_between(since, now));
  return std::max(over, microseconds(0));
}

microseconds most_granted(const cgroup::CpuMax& before, const cgroup::CpuMax& after) {
  if (before.quota.is_unlimited() || after.quota.is_unlimited()) return {};
  return std::min(before.quota.value(), after.quota.value());
}

void Allowance::grow(nanoseconds now, const cgroup::CpuMax& limit) {
  const auto before = std::exchange(grown_, now);
  if (limit.quota.is_unlimited()) return;
  const auto quota = static_cast<double>(limit.quota.value().count());
  const double most = kShare * quota * (std::chrono::duration<double>(kSaved) / limit.period);
  if (!before) {
    left_ = std::min(quota, most);
    return;
  }
  const double periods = std::chrono::duration<double>(now - *before) / limit.period;
  // What was saved under a wider limit is kept.
  left_ = std::clamp(left_ + kShare * quota * periods, -most, std::max(most, left_));
}

}  // namespace weir::limits
