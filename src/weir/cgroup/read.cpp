// SPDX-License-Identifier: MIT
// One typed reader for each file that others ask for by name.
#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/cgroup/stat.h"

namespace weir::cgroup {
namespace {

Result<std::uint64_t> read_number(const Dir& dir, std::string_view file) {
  WEIR_TRY(const std::string text, dir.read(file));
  const auto number = parse_u64(trim(text));
  if (!number) return std::unexpected(make_error(ErrorKind::failed, file, "holds no number"));
  return *number;
}

std::string_view pressure_file(Resource resource) {
  switch (resource) {
    case Resource::cpu:
      return "cpu.pressure";
    case Resource::memory:
      return "memory.pressure";
    case Resource::io:
      return "io.pressure";
  }
  return "";
}

}  // namespace

Result<Limit<Bytes>> parse_limit_bytes(std::string_view kernel_text) {
  const std::string_view text = trim(kernel_text);
  if (text == "max") return Limit<Bytes>::unlimited();
  const auto bytes = parse_u64(text);
  if (!bytes)
    return std::unexpected(
        make_error(ErrorKind::failed, text.substr(0, 64), "is neither a number of bytes nor max"));
  return Limit(Bytes(*bytes));
}

Result<Limit<Bytes>> read_memory_max(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("memory.max"));
  return parse_limit_bytes(text);
}

Result<Limit<Bytes>> read_memory_high(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("memory.high"));
  return parse_limit_bytes(text);
}

Result<CpuMax> read_cpu_max(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("cpu.max"));
  return parse_cpu_max(text);
}

Result<CpuStat> read_cpu_stat(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("cpu.stat"));
  return parse_cpu_stat(text);
}

Result<CpuStatLocal> read_cpu_stat_local(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("cpu.stat.local"));
  return parse_cpu_stat_local(text);
}

Result<MemoryEvents> read_memory_events(const Dir& dir) {
  WEIR_TRY(const std::string text, dir.read("memory.events"));
  return parse_memory_events(text);
}

Result<Bytes> read_memory_current(const Dir& dir) {
  WEIR_TRY(const std::uint64_t bytes, read_number(dir, "memory.current"));
  return Bytes(bytes);
}

Result<std::uint64_t> read_pids_current(const Dir& dir) { return read_number(dir, "pids.current"); }

Result<Pressure> read_pressure(const Dir& dir, Resource resource) {
  WEIR_TRY(const std::string text, dir.read(pressure_file(resource)));
  return parse_pressure(text);
}

}  // namespace weir::cgroup
