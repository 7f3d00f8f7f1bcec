// SPDX-License-Identifier: MIT
#include "weir/cli/overview.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <ostream>
#include <thread>

#include "weir/base/clock.h"
#include "weir/base/file.h"
#include "weir/cli/look.h"
#include "weir/container/inventory.h"
#include "weir/proc/host.h"

namespace weir::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 500ms;
constexpr auto kRecent = 1h;

std::optional<proc::CpuTimes> cpu_times(const HostPaths& paths) {
  const auto text = read_file(paths.proc + "/stat");
  const auto times = text ? proc::parse_cpu_times(*text) : std::unexpected(text.error());
  return times ? std::optional(*times) : std::nullopt;
}

cgroup::Pressure host_pressure(const HostPaths& paths, std::string_view resource) {
  const auto text = read_file(fmt::format("{}/pressure/{}", paths.proc, resource));
  return text ? cgroup::parse_pressure(*text).value_or(cgroup::Pressure{}) : cgroup::Pressure{};
}

HostState host_state(const HostPaths& paths, const std::optional<proc::CpuTimes>& before) {
  HostState host;
  const auto after = cpu_times(paths);
  if (after) host.cpus = after->cpus;
  if (before && after) host.busy = proc::busy_share(*before, *after);
  if (const auto text = read_file(paths.proc + "/loadavg"))
    if (const auto load = proc::parse_load(*text)) host.load = *load;
  host.cpu = host_pressure(paths, "cpu");
  host.memory = host_pressure(paths, "memory");
  host.io = host_pressure(paths, "io");
  return host;
}

std::optional<std::vector<DatedKill>> recent_kills(std::chrono::nanoseconds now) {
  auto kills = proc::read_oom_kills();
  if (!kills) return std::nullopt;
  std::vector<DatedKill> recent;
  for (proc::OomKill& kill : *kills)
    if (const auto ago = now - kill.since_boot; ago <= kRecent) recent.push_back({std::move(kill), ago});
  return recent;
}

Result<Overview> look_around(const HostPaths& paths, const Clock& clock) {
  WEIR_TRY(const auto root, cgroup::open_root(paths.cgroup_root));
  const auto began = std::chrono::steady_clock::now();
  const auto before = cpu_times(paths);
  WEIR_TRY(container::Inventory inventory,
           container::take_inventory(paths, container::Include::containers_and_services));
  Overview overview;
  overview.rows = make_rows(look_at(*root, std::move(inventory.containers), kWindow));
  std::this_thread::sleep_until(began + kWindow);  // where there is no container to wait for
  overview.host = host_state(paths, before);
  overview.kills = recent_kills(clock.monotonic());
  // Without a journal (nothing was changed since boot, or it is not ours to read) there is nothing to list.
  if (auto changes = limits::recent_changes(paths, root.get(), clock.realtime() - kRecent))
    overview.changes = std::move(*changes);
  return overview;
}

}  // namespace

int overview(const Session& session) {
  const auto seen = look_around(session.paths, SystemClock());
  if (!seen) return report(session, seen.error());
  if (session.json)
    fmt::print(session.terminal.out, "{}\n", overview_json(*seen));
  else
    fmt::print(session.terminal.out, "{}",
               overview_text(*seen, session.terminal.columns, session.terminal.colour));
  return kDone;
}

}  // namespace weir::cli
