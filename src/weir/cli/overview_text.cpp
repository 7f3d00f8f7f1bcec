// SPDX-License-Identifier: MIT
// The overview from what was read: pure.
#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/ls_json.h"
#include "weir/cli/ls_table.h"
#include "weir/cli/overview.h"

namespace weir::cli {
namespace {

constexpr std::size_t kWorst = 10, kUsers = 3, kRecent = 5;
constexpr double kBusy = 0.9;         ///< of all CPUs
constexpr double kCpuPressure = 10;   ///< percent, some avg10
constexpr double kStallPressure = 5;  ///< percent of full avg10: nobody got on

double some(const cgroup::Pressure& pressure) { return pressure.some ? pressure.some->avg10 : 0; }
double full(const cgroup::Pressure& pressure) { return pressure.full ? pressure.full->avg10 : 0; }

std::string percent(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}%", *value) : "-";
}

std::string pressure_text(const cgroup::Pressure& pressure) {
  return pressure.some ? fmt::format("{:.0f}%", pressure.some->avg10) : "-";
}

std::size_t suffering(const std::vector<Row>& rows) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.cause != Cause::none; }));
}

/// Those who use most of the CPU, most first.
std::vector<const Row*> biggest_users(const std::vector<Row>& rows) {
  std::vector<const Row*> users;
  for (const Row& row : rows)
    if (row.cpu_percent.value_or(0) >= 1) users.push_back(&row);
  std::stable_sort(users.begin(), users.end(),
                   [](const Row* a, const Row* b) { return *a->cpu_percent > *b->cpu_percent; });
  if (users.size() > kUsers) users.resize(kUsers);
  return users;
}

bool someone_is_throttled(const std::vector<Row>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const Row& row) {
    return row.cause == Cause::own_cpu_limit || row.cause == Cause::ancestor_cpu_limit;
  });
}

std::string host_lines(const Overview& overview, bool colour) {
  const HostState& host = overview.host;
  const auto short_of = overloaded(host);
  std::string verdict = paint("not overloaded", Tone::good, colour);
  if (!short_of.empty())
    verdict = paint(fmt::format("overloaded: {}", fmt::join(short_of, ", ")), Tone::bad, colour);
  std::string text = fmt::format("host     {}\n", verdict);
  text += fmt::format("         {} CPUs {} busy, load {}; pressure: cpu {}, memory {}, io {}\n", host.cpus,
                      host.busy ? percent(*host.busy * 100) : "-",
                      host.load ? fmt::format("{:.1f}", *host.load) : "-", pressure_text(host.cpu),
                      pressure_text(host.memory), pressure_text(host.io));
  if (some(host.cpu) >= kCpuPressure && host.busy && *host.busy < kBusy &&
      someone_is_throttled(overview.rows))
    text += "         CPUs are free: the CPU pressure comes from limits, not from the host\n";
  return text;
}

std::string kills_text(const Overview& overview) {
  if (!overview.kills) return "kills    unknown: the kernel's log may not be read (root may)\n";
  if (overview.kills->empty()) return "kills    none in the last hour\n";
  std::string text;
  const auto& kills = *overview.kills;
  const std::size_t shown = std::min(kills.size(), kRecent);
  for (std::size_t i = 0; i < shown; ++i) {
    const DatedKill& one = kills[kills.size() - 1 - i];
    const std::string by = one.kill.limit_cgroup.empty()
                               ? "the host was out of memory"
                               : fmt::format("memory.max of {}", one.kill.limit_cgroup);
    text += fmt::format("{}{} ago: {} ({}) in {}: {}\n", i == 0 ? "kills    " : "         ",
                        format_duration(one.ago), terminal_safe(one.kill.comm), one.kill.pid.count(),
                        terminal_safe(one.kill.cgroup), terminal_safe(by));
  }
  if (kills.size() > shown)
    text += fmt::format("         and {} more in the last hour\n", kills.size() - shown);
  return text;
}

std::string changes_text(const Overview& overview) {
  if (overview.changes.empty()) return "changes  none by weir in the last hour\n";
  std::string text;
  const std::size_t shown = std::min(overview.changes.size(), kRecent);
  for (std::size_t i = 0; i < shown; ++i) {
    const limits::Listed& one = overview.changes[overview.changes.size() - 1 - i];
    const std::string& name = one.change.name.empty() ? one.change.target : one.change.name;
    text += fmt::format("{}{}: {} (was {}), {}\n", i == 0 ? "changes  " : "         ", terminal_safe(name),
                        terminal_safe(cgroup::describe(one.change.after)),
                        terminal_safe(one.change.before.text), limits::to_string(one.standing));
  }
  if (overview.changes.size() > shown)
    text += fmt::format("         and {} more: weir changes\n", overview.changes.size() - shown);
  return text;
}

/// Lines of a screen: nothing wraps.
std::string fitted(const std::string& text, std::size_t columns) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    // A line with colour codes is short: it is ours.
    out += line.find('\x1b') == std::string_view::npos ? fit_width(line, columns) : std::string(line);
    out += '\n';
  }
  out.pop_back();
  return out;
}

/// How the container is called on the command line; its path where the name could not be pasted as it is.
std::string target_of(const Row& row) {
  const Container& container = row.container;
  if (container.runtime == Runtime::none || terminal_safe(container.name) != container.name)
    return container.cgroup;
  if (container.runtime == Runtime::systemd) return fmt::format("unit:{}", container.name);
  if (!container.k8s_pod.empty()) return fmt::format("k8s:{}", container.name);
  return fmt::format("{}:{}", to_string(container.runtime), container.name);
}

}  // namespace

std::vector<std::string> overloaded(const HostState& host) {
  std::vector<std::string> what;
  if (some(host.cpu) >= kCpuPressure && host.busy.value_or(0) >= kBusy) what.emplace_back("cpu");
  if (full(host.memory) >= kStallPressure) what.emplace_back("memory");
  if (full(host.io) >= kStallPressure) what.emplace_back("io");
  return what;
}

std::string next_command(const std::vector<Row>& rows) {
  if (rows.empty()) return "weir ls --all";
  const Row& worst = rows.front();
  const std::string target = target_of(worst);
  if (terminal_safe(target) != target) return "weir ls";
  const auto& cpu = worst.reading.held.cpu_max;
  switch (worst.cause) {
    case Cause::own_cpu_limit:
      if (!cpu || cpu->value.quota.is_unlimited()) return "weir ls --watch";
      return fmt::format("weir set {} cpus={:.3g} --dry-run", shell_quote(target),
                         cpu->value.cpus().value() * 2);
    case Cause::ancestor_cpu_limit:
      return fmt::format("weir ls {} {} -o name,cpu.limit,cpu.holder,throttled.local", shell_quote(target),
                         shell_quote(worst.holder));
    case Cause::memory_limit:
    case Cause::memory_pressure:
    case Cause::oom_kills:
      return fmt::format(
          "weir ls {} -o name,memory,memory.high,memory.limit,memory.holder,events.high,events.max,oom",
          shell_quote(target));
    case Cause::cpu_contention:
    case Cause::io_pressure:
      return "weir ls --watch";
    case Cause::none:
      return "weir ls";
  }
  return "weir ls";
}

std::string overview_text(const Overview& overview, std::size_t columns, bool colour) {
  std::string text = host_lines(overview, colour);
  const std::size_t count = suffering(overview.rows);
  text += fmt::format("suffer   {} of {} containers and services\n", count, overview.rows.size());
  std::string out = fitted(text, columns);
  if (count > 0) {
    const std::vector<Row> worst(
        overview.rows.begin(), overview.rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, kWorst)));
    const auto columns_of = choose_columns("name,cpu,cpu.limit,throttled,memory,memory.limit,why");
    WEIR_ASSERT(columns_of.has_value());
    out += '\n' + make_table(worst, *columns_of, Chosen::by_user).render(columns, colour) + '\n';
  }
  text.clear();
  const auto users = biggest_users(overview.rows);
  for (std::size_t i = 0; i < users.size(); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "CPU by   " : ", ", terminal_safe(users[i]->container.name),
                        percent(users[i]->cpu_percent));
  if (!users.empty()) text += '\n';
  text += kills_text(overview) + changes_text(overview);
  out += fitted(text, columns);
  return out + fmt::format("next     {}\n", paint(next_command(overview.rows), Tone::bold, colour));
}

std::string overview_json(const Overview& overview) {
  const HostState& host = overview.host;
  const auto number = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  const auto avg10 = [](const cgroup::Pressure& pressure) -> Json {
    return {{"some_avg10", pressure.some ? Json(pressure.some->avg10) : Json(nullptr)},
            {"full_avg10", pressure.full ? Json(pressure.full->avg10) : Json(nullptr)}};
  };
  Json worst = Json::array(), users = Json::array(), kills = Json::array(), changes = Json::array();
  for (std::size_t i = 0; i < std::min(suffering(overview.rows), kWorst); ++i)
    worst.push_back(to_json(overview.rows[i]));
  for (const Row* row : biggest_users(overview.rows))
    users.push_back({{"name", row->container.name},
                     {"cgroup", row->container.cgroup},
                     {"cpu_percent", *row->cpu_percent}});
  if (overview.kills)
    for (const DatedKill& one : *overview.kills)
      kills.push_back(
          {{"ago_ns", one.ago.count()},
           {"cgroup", one.kill.cgroup},
           {"limit_cgroup", one.kill.limit_cgroup.empty() ? Json(nullptr) : Json(one.kill.limit_cgroup)},
           {"comm", one.kill.comm},
           {"pid", one.kill.pid.count()}});
  for (const limits::Listed& one : overview.changes)
    changes.push_back({{"time_ns", one.change.time.count()},
                       {"name", one.change.name},
                       {"cgroup", one.change.cgroup},
                       {"knob", std::string(cgroup::info(one.change.after.knob).file)},
                       {"old", one.change.before.text},
                       {"new", one.change.after.text},
                       {"state", std::string(limits::to_string(one.standing))}});
  return dump_json(
      {{"schema", 1},
       {"host",
        {{"overloaded", overloaded(host)},
         {"cpus", host.cpus},
         {"load1", number(host.load)},
         {"busy_share", number(host.busy)},
         {"pressure", {{"cpu", avg10(host.cpu)}, {"memory", avg10(host.memory)}, {"io", avg10(host.io)}}}}},
       {"suffering", suffering(overview.rows)},
       {"worst", std::move(worst)},
       {"biggest_cpu_users", std::move(users)},
       {"kills", overview.kills ? std::move(kills) : Json(nullptr)},
       {"changes", std::move(changes)},
       {"next", next_command(overview.rows)}});
}

}  // namespace weir::cli
