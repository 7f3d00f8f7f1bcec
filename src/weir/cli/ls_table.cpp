// SPDX-License-Identifier: MIT
#include "weir/cli/ls_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/text.h"

namespace weir::cli {
namespace {

constexpr std::string_view kNotCounted = "-";

Cell plain(std::string_view text) {
  return {text.empty() ? std::string(kNotCounted) : std::string(text), Tone::plain};
}

/// Percent with what matters of it: "0", "0.4", "37".
std::string percent(double value) {
  return value == 0 ? "0" : value < 9.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

Tone by_size(double value, double warn, double bad) {
  return value >= bad ? Tone::bad : value >= warn ? Tone::warn : Tone::plain;
}

Cell share_cell(const std::optional<double>& share) {
  if (!share) return {std::string(kNotCounted), Tone::dim};
  return {percent(*share * 100) + "%", by_size(*share, 0.05, 0.25)};
}

Cell pressure_cell(const cgroup::Pressure& pressure) {
  if (!pressure.some) return {std::string(kNotCounted), Tone::dim};
  return {percent(pressure.some->avg10), by_size(pressure.some->avg10, 5, 25)};
}

template <typename T>
Cell count_cell(const std::optional<T>& count) {
  return count ? Cell{fmt::format("{}", *count), Tone::plain} : Cell{std::string(kNotCounted), Tone::dim};
}

/// "^" says that a level above holds it: which one is in the holder columns.
std::string mark(const Row& row, std::string_view holder) {
  return holder.empty() || holder == row.container.cgroup ? "" : "^";
}

Cell cpu(const Row& row) {
  if (row.cpu_percent) return {percent(*row.cpu_percent) + "%", Tone::plain};
  return {std::string(kNotCounted), Tone::dim};
}
Cell cpu_time(const Row& row) {
  const auto& used = row.reading.usage.cpu.usage;
  return used ? Cell{format_duration(*used), Tone::plain} : Cell{std::string(kNotCounted), Tone::dim};
}
Cell cpu_limit(const Row& row) {
  const auto& held = row.reading.held.cpu_max;
  if (!held) return {std::string(kNotCounted), Tone::dim};
  if (held->value.quota.is_unlimited()) return {"max", Tone::dim};
  return {fmt::format("{:.3g}{}", held->value.cpus().value(), mark(row, held->holder)), Tone::plain};
}
Cell cpu_holder(const Row& row) {
  return plain(row.reading.held.cpu_max ? row.reading.held.cpu_max->holder : "");
}
Cell cpu_weight(const Row& row) {
  const auto& weight = row.reading.limits.cpu_weight;
  return weight ? Cell{fmt::format("{}", weight->count()), Tone::plain}
                : Cell{std::string(kNotCounted), Tone::dim};
}
Cell throttled(const Row& row) { return share_cell(row.throttled_periods); }
Cell throttled_local(const Row& row) { return share_cell(row.throttled_time); }

Cell memory(const Row& row) {
  const auto& used = row.reading.usage.memory;
  if (!used) return {std::string(kNotCounted), Tone::dim};
  const auto& held = row.reading.held.memory_max;
  const bool limited = held && !held->value.is_unlimited() && held->value.value().count() > 0;
  const double full =
      limited ? static_cast<double>(used->count()) / static_cast<double>(held->value.value().count()) : 0;
  return {format_bytes(*used), by_size(full, 0.8, 0.95)};
}
Cell bytes_limit(const Row& row, const std::optional<cgroup::Effective<Limit<Bytes>>>& held) {
  if (!held) return {std::string(kNotCounted), Tone::dim};
  if (held->value.is_unlimited()) return {"max", Tone::dim};
  return {format_bytes(held->value.value()) + mark(row, held->holder), Tone::plain};
}
Cell memory_limit(const Row& row) { return bytes_limit(row, row.reading.held.memory_max); }
Cell memory_high(const Row& row) { return bytes_limit(row, row.reading.held.memory_high); }
Cell swap_limit(const Row& row) { return bytes_limit(row, row.reading.held.memory_swap_max); }
Cell memory_holder(const Row& row) {
  return plain(row.reading.held.memory_max ? row.reading.held.memory_max->holder : "");
}
Cell oom(const Row& row) {
  Cell cell = count_cell(row.reading.usage.memory_events.oom_kill);
  if (row.reading.usage.memory_events.oom_kill.value_or(0) > 0) cell.tone = Tone::bad;
  return cell;
}
Cell events_high(const Row& row) { return count_cell(row.reading.usage.memory_events.high); }
Cell events_max(const Row& row) { return count_cell(row.reading.usage.memory_events.max); }

Cell pids(const Row& row) { return count_cell(row.reading.usage.pids); }
Cell pids_limit(const Row& row) {
  const auto& held = row.reading.held.pids_max;
  if (!held) return {std::string(kNotCounted), Tone::dim};
  if (held->value.is_unlimited()) return {"max", Tone::dim};
  return {fmt::format("{}{}", held->value.value().count(), mark(row, held->holder)), Tone::plain};
}
Cell psi_cpu(const Row& row) { return pressure_cell(row.reading.pressures.cpu); }
Cell psi_memory(const Row& row) { return pressure_cell(row.reading.pressures.memory); }
Cell psi_io(const Row& row) { return pressure_cell(row.reading.pressures.io); }

Cell name(const Row& row) { return {row.container.name, Tone::bold}; }
Cell id(const Row& row) { return plain(row.container.id.substr(0, 12)); }
Cell runtime(const Row& row) { return plain(to_string(row.container.runtime)); }
Cell image(const Row& row) { return plain(row.container.image); }
Cell cgroup_path(const Row& row) { return {row.container.cgroup, Tone::dim}; }
Cell why(const Row& row) {
  return {cause_text(row), row.cause == Cause::none ? Tone::dim : by_size(row.suffering, 5, 25)};
}

constexpr auto kLeft = Align::left;
constexpr auto kRight = Align::right;

constexpr std::array kColumns = {
    LsColumn{"name", "NAME", kLeft, 0, true, true, "the container's or unit's name", name},
    LsColumn{"runtime", "RUNTIME", kLeft, 3, false, true, "docker, podman, lxc, containerd, cri-o, systemd",
             runtime},
    LsColumn{"cpu", "CPU", kRight, 0, false, true, "CPU used over the window, in percent of one CPU", cpu},
    LsColumn{"cpu.time", "CPU-TIME", kRight, 6, false, false, "CPU time used since it started", cpu_time},
    LsColumn{"cpu.limit", "LIMIT", kRight, 0, false, true,
             "effective cpu.max in CPUs; ^ where an ancestor holds it", cpu_limit},
    LsColumn{"throttled", "THR", kRight, 0, false, true, "periods in which its own cpu.max throttled it",
             throttled},
    LsColumn{"throttled.local", "THR-ALL", kRight, 5, false, true,
             "time throttled, also by an ancestor (of one run queue)"
             "CPUs)",
             throttled_local},
    LsColumn{"memory", "MEMORY", kRight, 0, false, true, "memory.current", memory},
    LsColumn{"memory.limit", "MAX", kRight, 1, false, true,
             "effective memory.max; ^ where an ancestor holds it", memory_limit},
    LsColumn{"oom", "OOM", kRight, 2, false, true, "processes killed by the OOM killer since it started",
             oom},
    LsColumn{"psi.cpu", "PSI-CPU", kRight, 7, false, true, "cpu.pressure some avg10, percent", psi_cpu},
    LsColumn{"psi.memory", "PSI-MEM", kRight, 7, false, true, "memory.pressure some avg10, percent",
             psi_memory},
    LsColumn{"psi.io", "PSI-IO", kRight, 7, false, true, "io.pressure some avg10, percent", psi_io},
    LsColumn{"pids", "PIDS", kRight, 8, false, true, "processes and threads", pids},
    LsColumn{"why", "WHY", kLeft, 0, true, true, "what slows it most", why},
    LsColumn{"cpu.holder", "CPU-HOLDER", kLeft, 9, true, false, "the cgroup whose cpu.max holds", cpu_holder},
    LsColumn{"memory.holder", "MEMORY-HOLDER", kLeft, 9, true, false, "the cgroup whose memory.max holds",
             memory_holder},
    LsColumn{"cgroup", "CGROUP", kLeft, 10, true, true, "path below the cgroup2 mount point", cgroup_path},
    LsColumn{"id", "ID", kLeft, 10, false, false, "the runtime's id, its first 12 digits", id},
    LsColumn{"image", "IMAGE", kLeft, 10, true, false, "the image it was made from", image},
    LsColumn{"cpu.weight", "WEIGHT", kRight, 10, false, false, "cpu.weight", cpu_weight},
    LsColumn{"memory.high", "HIGH", kRight, 10, false, false, "effective memory.high", memory_high},
    LsColumn{"swap.limit", "SWAP-MAX", kRight, 10, false, false, "effective memory.swap.max", swap_limit},
    LsColumn{"events.high", "EV-HIGH", kRight, 10, false, false, "times it went over memory.high",
             events_high},
    LsColumn{"events.max", "EV-MAX", kRight, 10, false, false, "times it was held at memory.max", events_max},
    LsColumn{"pids.limit", "PIDS-MAX", kRight, 10, false, false, "effective pids.max", pids_limit},
};

}  // namespace

std::span<const LsColumn> ls_columns() { return kColumns; }

Result<std::vector<const LsColumn*>> choose_columns(std::string_view keys) {
  std::vector<const LsColumn*> chosen;
  if (trim(keys).empty()) {
    for (const LsColumn& column : kColumns)
      if (column.standard) chosen.push_back(&column);
    return chosen;
  }
  for (const std::string_view piece : split(keys, ',')) {
    const std::string_view key = trim(piece);
    const auto* found =
        std::find_if(kColumns.begin(), kColumns.end(), [&](const LsColumn& each) { return each.key == key; });
    if (found == kColumns.end()) {
      std::vector<std::string> names;
      for (const LsColumn& column : kColumns) names.emplace_back(column.key);
      const auto near = nearest(key, names);
      return std::unexpected(
          make_error(ErrorKind::invalid, key, "is no column of ls",
                     fmt::format("columns: {}", fmt::join(near.empty() ? names : near, " "))));
    }
    chosen.push_back(found);
  }
  return chosen;
}

Table make_table(const std::vector<Row>& rows, const std::vector<const LsColumn*>& columns, Chosen chosen) {
  std::vector<Column> heads;
  for (const LsColumn* column : columns)
    heads.push_back({.title = std::string(column->title),
                     .align = column->align,
                     .priority = chosen == Chosen::by_user ? 0 : column->priority,
                     .may_shrink = column->may_shrink});
  Table table(std::move(heads));
  for (const Row& row : rows) {
    std::vector<Cell> cells;
    for (const LsColumn* column : columns) cells.push_back(column->cell(row));
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace weir::cli
