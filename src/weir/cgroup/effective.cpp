// SPDX-License-Identifier: MIT
// Limits as they hold: the tightest over a cgroup and its ancestors. A child's own files do not show an
// ancestor's limit.
#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/tighter.h"

namespace weir::cgroup {
namespace {

template <typename T, typename Read>
Result<Effective<T>> tightest(const Dir& root, std::string_view path, T none, const Read& read) {
  WEIR_CHECK(check_path(path));
  Effective<T> effective{std::move(none), ""};
  // From the cgroup upwards, so that the nearest level wins among equals. The root itself has no limits.
  for (std::string_view level = path; level.size() > 1; level = level.substr(0, level.rfind('/'))) {
    WEIR_TRY(const auto dir, open_path(root, level));
    const Result<T> value = read(*dir);
    if (!value && value.error().kind == ErrorKind::absent) continue;
    if (!value) return std::unexpected(value.error());
    if (!is_unlimited(*value) && tighter(*value, effective.value)) effective = {*value, std::string(level)};
  }
  return effective;
}

Result<Limit<Pids>> read_pids_max(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("pids.max"));
  const std::string_view value = trim(text);
  if (value == "max") return Limit<Pids>::unlimited();
  const auto count = parse_u64(value);
  if (!count) return std::unexpected(make_error(ErrorKind::failed, dir.path(), "pids.max holds no number"));
  return Limit(Pids(*count));
}

}  // namespace

Result<Effective<CpuMax>> effective_cpu_max(const Dir& root, std::string_view path) {
  return tightest(root, path, CpuMax{}, read_cpu_max);
}

Result<Effective<Limit<Bytes>>> effective_memory(const Dir& root, std::string_view path, Knob which) {
  WEIR_ASSERT(which == Knob::memory_high || which == Knob::memory_max || which == Knob::memory_swap_max);
  return tightest(root, path, Limit<Bytes>::unlimited(), [&](const Dir& dir) -> Result<Limit<Bytes>> {
    WEIR_TRY(const std::string text, dir.read(info(which).file));
    return parse_limit_bytes(text);
  });
}

Result<Effective<Limit<Pids>>> effective_pids_max(const Dir& root, std::string_view path) {
  return tightest(root, path, Limit<Pids>::unlimited(), read_pids_max);
}

}  // namespace weir::cgroup
