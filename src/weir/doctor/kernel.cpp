// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "weir/base/text.h"
#include "weir/doctor/host.h"
#include "weir/doctor/themes.h"

namespace weir::doctor {
namespace {

/// The kernels that the system tests run on (vm/run --kernel).
constexpr std::string_view kTested[] = {"6.1", "6.12", "7.3"};

/// "6.12" of "6.12.48+deb13-amd64".
std::string_view series(std::string_view release) {
  const std::size_t second = release.find('.', release.find('.') + 1);
  return release.substr(0, std::min(second, release.find_first_not_of("0123456789.")));
}

}  // namespace

Finding kernel_release(const HostPaths& paths) {
  const auto release = text_of(paths.proc + "/sys/kernel/osrelease");
  if (!release) return no("its release cannot be read", "nothing is known about this kernel", "mount /proc");
  if (std::ranges::count(kTested, series(*release)) > 0) return yes(*release + ", tested");
  return partial(fmt::format("{}, untested (tested: {})", *release, fmt::join(kTested, ", ")),
                 "each feature is tried before it is used, but nobody has run Weir's tests on this kernel",
                 "run ./test.sh on it");
}

Finding btf(const HostPaths& paths) {
  const std::string file = paths.sys + "/kernel/btf/vmlinux";
  if (access(file.c_str(), R_OK) == 0) return yes(file);
  return no(file + " is not there", "no BPF programs, so nothing is traced: limits and counters still work",
            "a kernel built with CONFIG_DEBUG_INFO_BTF=y");
}

Finding tracefs(const HostPaths& paths) {
  const auto mounted = mount_points(paths, "tracefs");
  if (!mounted.empty()) return yes("mounted at " + mounted.front());
  if (!knows_filesystem(paths, "tracefs"))
    return no("the kernel has none", "no tracepoint and kprobe programs",
              "a kernel built with CONFIG_FTRACE=y");
  return partial("not mounted", "tracepoint programs do not attach; tp_btf and fentry do not need it",
                 "weir doctor --fix");
}

Finding kprobes(const HostPaths& paths) {
  if (access((paths.sys + "/bus/event_source/devices/kprobe").c_str(), F_OK) != 0)
    return no("the kernel has none",
              "where fentry is refused as well, inner kernel functions cannot be timed",
              "a kernel built with CONFIG_KPROBE_EVENTS=y");
  if (text_of(paths.sys + "/kernel/debug/kprobes/enabled") == "0")
    return partial("switched off", "kprobe programs attach but do not run",
                   "echo 1 > /sys/kernel/debug/kprobes/enabled");
  return yes("the kernel has them");
}

Finding lockdown(const HostPaths& paths) {
  const auto text = text_of(paths.sys + "/kernel/security/lockdown");
  if (!text) return yes("not built in, or securityfs is not mounted");
  const std::size_t open = text->find('[');
  const std::string mode =
      open == std::string::npos ? *text : text->substr(open + 1, text->find(']') - open - 1);
  if (mode == "none") return yes("none");
  constexpr std::string_view kFix = "boot with lockdown=none; Secure Boot may switch it on";
  if (mode == "integrity")
    return partial(mode, "kprobes and perf events that change the kernel are refused", kFix);
  return no(mode, "BPF programs may not read the kernel's memory, so nothing is traced", kFix);
}

Finding sched_ext(const HostPaths& paths) {
  const auto state = text_of(paths.sys + "/kernel/sched_ext/state");
  if (!state) return yes("this kernel has none");
  if (*state == "disabled") return yes("no BPF scheduler is loaded");
  return partial(
      fmt::format("{} ({})", *state, text_of(paths.sys + "/kernel/sched_ext/root/ops").value_or("unnamed")),
      "the BPF scheduler may do cpu.max and cpu.weight in its own way, or not at all",
      "unload it, or take what Weir says about CPU with care");
}

Finding clock_source(const HostPaths& paths) {
  const auto source = text_of(paths.sys + "/devices/system/clocksource/clocksource0/current_clocksource");
  if (!source) return yes("unknown");
  for (const std::string_view slow : {"hpet", "acpi_pm", "jiffies", "refined-jiffies"})
    if (*source == slow)
      return partial(*source,
                     "each look at the clock costs a microsecond or more, which shows in traced programs",
                     "boot with tsc=reliable where the CPU's clock can be trusted");
  return yes(*source);
}

}  // namespace weir::doctor
