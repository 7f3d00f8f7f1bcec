// SPDX-License-Identifier: MIT
// Three transient services with Delegate=yes, so that systemd leaves what is below their cgroups alone.
// Marked by being transient and by their description.
#include <fmt/format.h>

#include <map>

#include "weir/base/text.h"
#include "weir/lab/disk.h"
#include "weir/lab/runner.h"
#include "weir/spawn/tool.h"

namespace weir::lab {
namespace {

using std::chrono::seconds;

constexpr std::string_view kDescription = "Weir lab workload: ";
constexpr seconds kQuick{60};

std::string unit(const Workload& workload) { return fmt::format("{}.service", workload.name); }

class SystemdRunner final : public Runner {
 public:
  SystemdRunner(const HostPaths& paths, std::string context) : paths_(paths), context_(std::move(context)) {}

  [[nodiscard]] std::string_view name() const override { return "systemd"; }

  Result<void> prepare() override { return {}; }

  Result<void> start(const Workload& workload) override {
    WEIR_TRY(std::string systemd_run, spawn::find_tool("systemd-run"));
    std::vector<std::string> argv = {std::move(systemd_run),
                                     "--quiet",
                                     "--collect",
                                     "--unit",
                                     unit(workload),
                                     "--description",
                                     fmt::format("{}{}", kDescription, workload.about),
                                     "--property",
                                     "Delegate=yes"};
    for (std::string& property : limit_properties(workload)) {
      argv.emplace_back("--property");
      argv.push_back(std::move(property));
    }
    argv.push_back(context_ + "/weir-lab");
    for (std::string& argument : arguments(workload, kScratchDirectory)) argv.push_back(std::move(argument));
    WEIR_CHECK(spawn::run_tool(argv, kQuick));
    return {};
  }

  Result<std::string> cgroup(const Workload& workload) override {
    WEIR_TRY(const auto state, show(workload));
    const auto path = state.find("ControlGroup");
    if (path == state.end() || path->second.empty())
      return std::unexpected(make_error(ErrorKind::gone, unit(workload), "the service has ended"));
    return path->second;
  }

  std::string last_words(const Workload& workload) override {
    const auto journalctl = spawn::find_tool("journalctl");
    if (!journalctl) return {};
    return spawn::run_tool(
               {*journalctl, "--quiet", "--unit", unit(workload), "--output", "cat", "--lines", "3"}, kQuick)
        .value_or("");
  }

  Result<std::vector<std::string>> remove() override {
    WEIR_TRY(const std::vector<std::string> units, present());
    if (units.empty()) return units;
    WEIR_TRY(std::string systemctl, spawn::find_tool("systemctl"));
    std::vector<std::string> argv = {std::move(systemctl), "stop"};
    argv.insert(argv.end(), units.begin(), units.end());
    WEIR_CHECK(spawn::run_tool(argv, seconds(120)));
    return units;
  }

  Result<std::vector<std::string>> present() override {
    std::vector<std::string> units;
    for (const Workload& workload : workloads()) {
      WEIR_TRY(auto state, show(workload));
      if (state["Transient"] == "yes" && state["Description"].starts_with(kDescription))
        units.push_back(unit(workload));
    }
    return units;
  }

 private:
  static Result<std::map<std::string, std::string>> show(const Workload& workload) {
    WEIR_TRY(std::string systemctl, spawn::find_tool("systemctl"));
    WEIR_TRY(const std::string text, spawn::run_tool({std::move(systemctl), "show", "--property",
                                                      "Transient,Description,ControlGroup", unit(workload)},
                                                     kQuick));
    std::map<std::string, std::string> state;
    for (const std::string_view line : split(text, '\n'))
      if (const std::size_t equals = line.find('='); equals != std::string_view::npos)
        state.emplace(line.substr(0, equals), line.substr(equals + 1));
    return state;
  }

  [[nodiscard]] std::vector<std::string> limit_properties(const Workload& workload) const {
    switch (workload.held) {
      case Held::cpu:
        return {fmt::format("CPUQuota={}%", kCpuPercent)};
      case Held::memory:
        return {fmt::format("MemoryMax={}", kMemoryMax.count()), "MemorySwapMax=0"};
      case Held::io: {
        const auto disk = disk_below(kScratchDirectory, paths_);
        if (!disk) return {};
        return {fmt::format("IOWriteBandwidthMax={} {}", disk->node, kIoWriteBps.count())};
      }
    }
    return {};
  }

  HostPaths paths_;
  std::string context_;
};

}  // namespace

std::unique_ptr<Runner> systemd_runner(const HostPaths& paths, std::string context) {
  return std::make_unique<SystemdRunner>(paths, std::move(context));
}

}  // namespace weir::lab
