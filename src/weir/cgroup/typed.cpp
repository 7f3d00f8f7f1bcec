// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"

namespace weir::cgroup {

Limit<double> CpuMax::cpus() const {
  if (quota.is_unlimited() || period.count() <= 0) return Limit<double>::unlimited();
  return Limit<double>(static_cast<double>(quota.value().count()) / static_cast<double>(period.count()));
}

Result<CpuMax> parse_cpu_max(std::string_view kernel_text) {
  const auto bad = [&] {
    return std::unexpected(
        make_error(ErrorKind::failed, "cpu.max", fmt::format("holds '{}'", trim(kernel_text))));
  };
  const std::string_view text = trim(kernel_text);
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return bad();
  const auto period = parse_u64(text.substr(blank + 1));
  if (!period || *period == 0 || *period > 1'000'000'000) return bad();
  CpuMax value{.period = std::chrono::microseconds(*period)};
  if (text.substr(0, blank) == "max") return value;
  const auto quota = parse_u64(text.substr(0, blank));
  if (!quota || *quota > (std::uint64_t{1} << 53)) return bad();
  value.quota = Limit(std::chrono::microseconds(*quota));
  return value;
}

KernelText to_kernel_text(const CpuMax& value) {
  KernelText text;
  if (!value.quota.is_unlimited())
    text.append(static_cast<std::uint64_t>(value.quota.value().count()));
  else
    text.append("max");
  text.append(" ");
  text.append(static_cast<std::uint64_t>(value.period.count()));
  return text;
}

KernelText to_kernel_text(Limit<Bytes> value) {
  KernelText text;
  if (value.is_unlimited())
    text.append("max");
  else
    text.append(value.value().count());
  return text;
}

KernelText to_kernel_text(Weight value) {
  KernelText text;
  text.append(std::uint64_t{value.count()});
  return text;
}

std::string to_kernel(const CpuMax& value) { return std::string(to_kernel_text(value).view()); }

}  // namespace weir::cgroup
