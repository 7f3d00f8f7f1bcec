// SPDX-License-Identifier: MIT
#pragma once
// Knob: a control file that holds a limit, and Setting: one value for one knob in the canonical form that the
// kernel prints. One constexpr table says all that differs between knobs. Parsing is pure and strict; what
// the kernel alone can know (is the controller on, does this kernel allow burst > quota) is left to the
// kernel.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/kernel_text.h"

namespace weir::cgroup {

enum class Knob {
  cpu_max,
  cpu_max_burst,
  cpu_weight,
  cpu_idle,
  memory_min,
  memory_low,
  memory_high,
  memory_max,
  memory_swap_max,
  memory_oom_group,
  io_max,
  io_weight,
  io_latency,
  pids_max,
  cpuset_cpus,
  cpuset_mems,
  cgroup_freeze,
};

/// How a knob's value is written: what the parser, the printer and the reader of a knob switch on.
enum class Shape {
  cpu_max,     ///< "QUOTA|max [PERIOD]"
  micros,      ///< whole microseconds
  number,      ///< a number in [low, high], or "max" where that is allowed
  flag,        ///< 0 or 1
  bytes,       ///< a size, or "max"
  list,        ///< "0-3,7"; may be empty
  io_max,      ///< per device: rbps, wbps, riops, wiops
  io_weight,   ///< "default N", and per device N or "default"
  io_latency,  ///< per device: target=USEC
};

struct KnobInfo {
  Knob knob;
  Shape shape;
  std::string_view file;            ///< kernel file name, also the long form in `knob=value`
  std::string_view short_form;      ///< "cpus", "memory", …; empty where there is none
  std::string_view controller;      ///< "cpu", "memory", …; "" for core files
  std::string_view syntax;          ///< for help: "QUOTA [PERIOD] | max  (microseconds)"
  std::string_view example;         ///< "cpu.max=50000 100000"
  std::string_view about;           ///< one line
  std::uint64_t low = 0, high = 0;  ///< for Shape::number and micros
  bool allows_max = false;          ///< for Shape::number
};

std::span<const KnobInfo> knobs();
const KnobInfo& info(Knob knob);
/// By the kernel's file name or the short form; nullptr if there is none.
const KnobInfo* find_knob(std::string_view name);

struct CpuMax {
  Limit<std::chrono::microseconds> quota = Limit<std::chrono::microseconds>::unlimited();
  std::chrono::microseconds period{100'000};
  bool operator==(const CpuMax&) const = default;
  /// quota / period in CPUs; unlimited for max.
  [[nodiscard]] Limit<double> cpus() const;
};
Result<CpuMax> parse_cpu_max(std::string_view kernel_text);
std::string to_kernel(const CpuMax& value);

/// One value for one knob. For io.max and io.latency `device` is "MAJ:MIN" and `text` the keys of that
/// device; for io.weight `device` is "MAJ:MIN" or "default". Everywhere else it is empty.
struct Setting {
  Knob knob = Knob::cpu_max;
  std::string device;
  std::string
      text;  ///< canonical: as the kernel prints it back ("50000 100000", "536870912", "max", "0-3,7")
  bool operator==(const Setting&) const = default;
  /// What is written into the file. An empty list is a newline: a write of no bytes does not reach the
  /// kernel's handler.
  [[nodiscard]] std::string to_write() const;
};

/// `knob=value` of the command line: the kernel's file name or a short form; IEC sizes; "max";
/// `io.max=8:0:wbps=4M,riops=100` or a device path (resolved with stat). Errors say what is wrong and show
/// the syntax; an unknown knob names the nearest. "cpus=1.5" keeps the period 100 ms. memory values are
/// rounded down to the page size, as the kernel does.
Result<Setting> parse_setting(std::string_view assignment);

/// The value that the cgroup has now in the shape of `wanted` (same knob, same device): for a device without
/// a line the kernel's default ("rbps=max wbps=max riops=max wiops=max"; io.latency: "target=0"). A
/// one-number "cpu.max=N" keeps the cgroup's present period: complete() fills it in.
Result<Setting> read_setting(const Dir& dir, const Setting& wanted);
/// The same from the text of the knob's file.
Result<Setting> parse_setting_of(std::string_view kernel_text, const Setting& wanted);
/// `wanted` completed with what the cgroup has (the period of a one-number cpu.max, keys not named in
/// io.max).
Setting complete(const Setting& wanted, const Setting& current);
/// Writes it and reads it back: Failed with "wrote X, the kernel holds Y" where they differ.
Result<void> write_setting(Dir& dir, const Setting& setting);

/// The quickest change of a limit: a typed value into a kept file, nothing allocated, nothing read back. Only
/// `limits` calls it on a container's files.
template <typename T>
Result<void> write_value(File& file, const T& value) {
  return file.write(to_kernel_text(value).view());
}

/// For people: "cpu.max 1.5 cpus (150000/100000)", "memory.max 512M".
std::string describe(const Setting& setting);

/// The present value of every knob that the cgroup has, in the table's order; knobs without a file
/// (controller off, old kernel) are left out. io knobs give one Setting for each device that has a line.
Result<std::vector<Setting>> read_settings(const Dir& dir);
/// The settings in one knob's file, as read: one, or for the io knobs one for each line.
Result<std::vector<Setting>> parse_kernel_text(Knob knob, std::string_view kernel_text);

Result<Limit<Bytes>> parse_limit_bytes(std::string_view kernel_text);
Result<Limit<Bytes>> read_memory_max(const Dir& dir);
Result<Limit<Bytes>> read_memory_high(const Dir& dir);
Result<CpuMax> read_cpu_max(const Dir& dir);

using Pids = Quantity<struct PidsTag>;

/// The tightest of a limit over the cgroup and its ancestors, and the level that holds it.
template <typename T>
struct Effective {
  T value;
  std::string holder;  ///< cgroup path of the level that holds; "" when nothing limits
};
/// The level that holds is the nearest one among equals. A level without the file (controller off, the root)
/// does not limit; a cgroup that is not there is gone or absent. `which`: memory.high, memory.max or
/// memory.swap.max.
Result<Effective<CpuMax>> effective_cpu_max(const Dir& root, std::string_view path);
Result<Effective<Limit<Bytes>>> effective_memory(const Dir& root, std::string_view path, Knob which);
Result<Effective<Limit<Pids>>> effective_pids_max(const Dir& root, std::string_view path);

}  // namespace weir::cgroup
