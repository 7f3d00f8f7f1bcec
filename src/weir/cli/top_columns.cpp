// SPDX-License-Identifier: MIT
#include "weir/cli/top_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "weir/base/escape.h"
#include "weir/base/text.h"

namespace weir::cli {
namespace {

constexpr std::string_view kUnknown = "-";
constexpr double kNearLimit = 0.9, kAtLimit = 0.98;

Cell known(std::string text) {
  const bool unknown = text == kUnknown;
  return {std::move(text), unknown ? Tone::dim : Tone::plain};
}

std::optional<double> gauge(const Sample& sample, Metric metric) {
  const auto value = sample.get(metric);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

/// Of what it may have: its limit, else the host. `own`: whether it is a limit.
struct Part {
  std::optional<double> share;
  bool own = false;
};
template <typename T, typename Number>
Part part_of(const std::optional<double>& used, const std::optional<Limit<T>>& limit,
             const std::optional<Limit<T>>& host, const Number& number) {
  const auto* const held = limit && !limit->is_unlimited() ? &limit : &host;
  if (!used || !*held || (*held)->is_unlimited()) return {};
  const double most = number((*held)->value());
  return {.share = most > 0 ? *used / most : 1.0, .own = held == &limit};
}
Part cpu_part(const TopRow& row, const TopContext& context) {
  return part_of(row.use.cpu, cpu_limit(row.use.now), cpu_limit(context.host.now),
                 [](double n) { return n; });
}
Part memory_part(const TopRow& row, const TopContext& context) {
  return part_of(gauge(row.use.now, Metric::memory_current), memory_limit(row.use.now),
                 memory_limit(context.host.now), [](Bytes n) { return static_cast<double>(n.count()); });
}
Tone full_tone(const Part& part) {
  if (!part.share || !part.own) return Tone::plain;
  return *part.share >= kAtLimit ? Tone::bad : *part.share >= kNearLimit ? Tone::warn : Tone::plain;
}
Cell bar(const Part& part, std::size_t width, Charset charset, Tone tone) {
  if (!part.share) return {};
  return {bar_text(*part.share, width, charset), part.own ? tone : Tone::dim};
}

Cell name(const TopRow& row, const TopContext&, std::size_t) {
  return {row.subject.container.name,
          row.subject.container.runtime == Runtime::systemd ? Tone::plain : Tone::bold};
}
Cell cpu(const TopRow& row, const TopContext&, std::size_t) { return known(share_text(row.use.cpu)); }
Cell cpu_bar(const TopRow& row, const TopContext& context, std::size_t width) {
  // At its CPU limit is normal for a busy container; what it loses there is told by throttling.
  return bar(cpu_part(row, context), width, context.charset, lost_tone(row.throttled));
}
Cell cpu_most(const TopRow& row, const TopContext&, std::size_t) {
  const auto limit = cpu_limit(row.use.now);
  return {limit_text(limit), limit && !limit->is_unlimited() ? Tone::plain : Tone::dim};
}
Cell throttled(const TopRow& row, const TopContext&, std::size_t) {
  if (!row.throttled) return known(std::string(kUnknown));
  const Tone tone = lost_tone(row.throttled);
  return {share_text(row.throttled) + (row.throttled_above ? "^" : ""),
          *row.throttled == 0 ? Tone::dim : tone};
}
Cell memory(const TopRow& row, const TopContext& context, std::size_t) {
  Cell cell = known(size_text(gauge(row.use.now, Metric::memory_current)));
  if (cell.tone == Tone::plain) cell.tone = full_tone(memory_part(row, context));
  return cell;
}
Cell memory_bar(const TopRow& row, const TopContext& context, std::size_t width) {
  const Part part = memory_part(row, context);
  return bar(part, width, context.charset, full_tone(part));
}
Cell memory_most(const TopRow& row, const TopContext&, std::size_t) {
  const auto limit = memory_limit(row.use.now);
  return {limit_text(limit), limit && !limit->is_unlimited() ? Tone::plain : Tone::dim};
}
Cell io(const TopRow& row, const TopContext&, std::size_t) { return known(size_text(row.io)); }
Cell io_read(const TopRow& row, const TopContext&, std::size_t) { return known(size_text(row.use.io_read)); }
Cell io_written(const TopRow& row, const TopContext&, std::size_t) {
  return known(size_text(row.use.io_written));
}
Cell pids(const TopRow& row, const TopContext&, std::size_t) {
  return known(count_text(row.use.now.get(Metric::pids_current)));
}
Cell kills(const TopRow& row, const TopContext&, std::size_t) {
  const auto count = row.use.now.get(Metric::memory_oom_kill);
  return {count_text(count), count.value_or(0) > 0 ? Tone::bad : Tone::dim};
}
Cell waits(const TopRow& row, const TopContext&, std::size_t) {
  const auto wait = worst(row.use.some);
  if (!wait) return known(std::string(kUnknown));
  if (wait->share < 0.0005) return {"0%", Tone::dim};
  return {fmt::format("{} {}", wait->resource == "memory" ? "mem" : wait->resource, share_text(wait->share)),
          lost_tone(wait->share)};
}
Cell worst_line(const TopRow& row, const TopContext& context, std::size_t width) {
  const TopTrack* track = context.history.of(row.subject.cgroup_id);
  std::string text;
  const std::size_t points = track == nullptr ? 0 : std::min(track->size(), width);
  text.append(width - points, ' ');
  for (std::size_t n = 0; n < points; ++n) {
    const auto wait = worst((*track)[track->size() - points + n].some);
    text += spark_text(wait ? std::optional(wait->share) : std::nullopt, context.charset);
  }
  return {std::move(text), Tone::plain};
}
template <std::optional<double> TopPressure::* Which>
Cell pressure(const TopRow& row, const TopContext&, std::size_t) {
  const auto& share = row.use.some.*Which;
  if (!share) return known(std::string(kUnknown));
  return {share_text(share), *share < 0.0005 ? Tone::dim : lost_tone(share)};
}
template <std::optional<double> TopPressure::* Which>
Cell pressure_line(const TopRow& row, const TopContext& context, std::size_t width) {
  return {spark_line(context.history.of(row.subject.cgroup_id), Which, width, context.charset), Tone::plain};
}
Cell runtime(const TopRow& row, const TopContext&, std::size_t) {
  return known(std::string(to_string(row.subject.container.runtime)));
}
Cell image(const TopRow& row, const TopContext&, std::size_t) {
  const std::string& text = row.subject.container.image;
  return known(text.empty() ? std::string(kUnknown) : text);
}

using enum TopColumn::Kind;
constexpr auto kLeft = Align::left;
constexpr auto kRight = Align::right;
/// With the three pressures apart the worst of them needs no column of its own, with reads and writes apart
/// neither does their sum.
constexpr int kApart = 12, kDirections = 11;

constexpr std::array kColumns = {
    TopColumn{"NAME", "container, or service", kLeft, 12, 40, 1, 0, text, TopSort::name, name},
    TopColumn{"CPU", "CPU time used, in percent of one CPU", kRight, 5, 5, 1, 0, text, TopSort::cpu, cpu},
    TopColumn{"", "of the limit, or of the host where there is none", kLeft, 5, 12, 6, 0, picture,
              std::nullopt, cpu_bar},
    TopColumn{"LIM", "CPU limit that holds, in CPUs", kLeft, 4, 4, 3, 0, text, std::nullopt, cpu_most},
    TopColumn{"THR", "periods its CPU limit held it back in; ^: time, by one above", kRight, 5, 5, 2, 0, text,
              TopSort::throttled, throttled},
    TopColumn{"MEM", "memory in use", kRight, 5, 5, 1, 0, text, TopSort::memory, memory},
    TopColumn{"", "of the limit, or of the host where there is none", kLeft, 5, 12, 7, 0, picture,
              std::nullopt, memory_bar},
    TopColumn{"MAX", "memory.high or memory.max that holds, the lower one", kLeft, 5, 5, 4, 0, text,
              std::nullopt, memory_most},
    TopColumn{"IO/s", "read from and written to devices", kRight, 5, 5, 8, kDirections, text, TopSort::io,
              io},
    TopColumn{"READ/s", "read from devices", kRight, 7, 7, kDirections, 0, text, TopSort::io, io_read},
    TopColumn{"WRITE/s", "written to devices", kRight, 7, 7, kDirections, 0, text, std::nullopt, io_written},
    TopColumn{"PRESSURE", "what is waited for most, and the time some task did", kRight, 9, 9, 5, kApart,
              text, TopSort::pressure, waits},
    TopColumn{"", "the same over the last seconds", kLeft, 6, 20, 9, kApart, picture, std::nullopt,
              worst_line},
    TopColumn{"CPU-PSI", "time some task waited for a CPU", kRight, 8, 8, kApart, 0, text, TopSort::pressure,
              pressure<&TopPressure::cpu>},
    TopColumn{"", "the same over the last seconds", kLeft, 8, 16, kApart, 0, picture, std::nullopt,
              pressure_line<&TopPressure::cpu>},
    TopColumn{"MEM-PSI", "time some task waited for memory", kRight, 7, 7, kApart, 0, text, std::nullopt,
              pressure<&TopPressure::memory>},
    TopColumn{"", "the same over the last seconds", kLeft, 8, 16, kApart, 0, picture, std::nullopt,
              pressure_line<&TopPressure::memory>},
    TopColumn{"IO-PSI", "time some task waited for IO", kRight, 6, 6, kApart, 0, text, std::nullopt,
              pressure<&TopPressure::io>},
    TopColumn{"", "the same over the last seconds", kLeft, 8, 16, kApart, 0, picture, std::nullopt,
              pressure_line<&TopPressure::io>},
    TopColumn{"PIDS", "processes and threads", kRight, 5, 5, 10, 0, text, TopSort::pids, pids},
    TopColumn{"OOM", "processes killed for want of memory since it started", kRight, 4, 4, 10, 0, text,
              TopSort::kills, kills},
    TopColumn{"RUNTIME", "who runs it", kLeft, 10, 10, 14, 0, text, std::nullopt, runtime},
    TopColumn{"IMAGE", "what it was made from", kLeft, 12, 40, 13, 0, text, std::nullopt, image},
};

constexpr std::size_t kGap = 1;

}  // namespace

std::span<const TopColumn> top_columns() { return kColumns; }

std::vector<TopPlaced> place_columns(std::size_t columns) {
  // Those of one importance come together: the deepest level at which all still fit.
  const auto chosen_at = [](int level) {
    std::vector<TopPlaced> chosen;
    for (const TopColumn& column : kColumns)
      if (column.importance <= level && (column.hides_at == 0 || column.hides_at > level))
        chosen.push_back({.column = &column, .at = 0, .width = column.least});
    return chosen;
  };
  const auto total = [](const std::vector<TopPlaced>& chosen) {
    std::size_t sum = 0;
    for (const TopPlaced& each : chosen) sum += each.width + (sum == 0 ? 0 : kGap);
    return sum;
  };
  std::vector<TopPlaced> chosen = chosen_at(1);
  for (int level = 2; level <= 14; ++level) {
    std::vector<TopPlaced> more = chosen_at(level);
    if (total(more) > columns) break;
    chosen = std::move(more);
  }
  // What is left makes columns wider in turn; the name first, since names are what is cut.
  std::size_t left = columns - std::min(columns, total(chosen));
  constexpr std::size_t kReadable = 24;
  if (!chosen.empty() && chosen[0].width < kReadable) {
    const std::size_t more = std::min(left, kReadable - chosen[0].width);
    chosen[0].width += more;
    left -= more;
  }
  for (bool grew = true; grew && left > 0;) {
    grew = false;
    for (TopPlaced& each : chosen) {
      if (left == 0 || each.width >= each.column->most) continue;
      ++each.width;
      --left;
      grew = true;
    }
  }
  std::size_t at = 0;
  for (TopPlaced& each : chosen) {
    each.at = at;
    at += each.width + kGap;
  }
  return chosen;
}

std::string share_text(const std::optional<double>& share) {
  if (!share) return std::string(kUnknown);
  const double percent = *share * 100;
  if (percent < 0.05) return "0%";
  return percent < 9.95 ? fmt::format("{:.1f}%", percent) : fmt::format("{:.0f}%", percent);
}

std::string cpus_text(double cpus) {
  if (cpus >= 99.5) return fmt::format("{:.0f}", cpus);
  std::string text = cpus >= 9.95 ? fmt::format("{:.1f}", cpus) : fmt::format("{:.2f}", cpus);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string limit_text(const std::optional<Limit<double>>& limit) {
  if (!limit) return std::string(kUnknown);
  return limit->is_unlimited() ? "max" : cpus_text(limit->value());
}

std::string limit_text(const std::optional<Limit<Bytes>>& limit) {
  if (!limit) return std::string(kUnknown);
  return limit->is_unlimited() ? "max" : format_bytes(limit->value());
}

std::string size_text(const std::optional<double>& bytes) {
  if (!bytes) return std::string(kUnknown);
  return format_bytes(Bytes(static_cast<std::uint64_t>(std::llround(std::max(*bytes, 0.0)))));
}

std::string count_text(const std::optional<std::uint64_t>& count) {
  return count ? fmt::format("{}", *count) : std::string(kUnknown);
}

std::string spark_line(const TopTrack* track, std::optional<double> TopPressure::* which, std::size_t columns,
                       Charset charset) {
  const std::size_t points = track == nullptr ? 0 : std::min(track->size(), columns);
  std::string text(columns - points, ' ');
  for (std::size_t n = 0; n < points; ++n)
    text += spark_text((*track)[track->size() - points + n].some.*which, charset);
  return text;
}

Tone lost_tone(const std::optional<double>& share) {
  return share.value_or(0) > 0.25 ? Tone::bad : share.value_or(0) > 0.10 ? Tone::warn : Tone::plain;
}

}  // namespace weir::cli
