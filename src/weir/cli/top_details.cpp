// SPDX-License-Identifier: MIT
#include "weir/cli/top_details.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/top_columns.h"

namespace weir::cli {
namespace {

constexpr std::size_t kSparks = 40;
constexpr std::size_t kEvents = 8;
constexpr std::size_t kLabels = 6;
constexpr std::size_t kPieces = 6;  ///< lines of one name

class Page {
 public:
  Page(const TopDetails& details, std::size_t columns, Charset charset)
      : details_(details),
        row_(details.row),
        now_(details.row.use.now),
        columns_(columns),
        charset_(charset) {}

  std::vector<TopLine> lines() {
    if (details_.ended) line("it has ended; this is the last that was seen", Tone::warn);
    identity();
    use();
    limits();
    pressure();
    events();
    next();
    everything();
    return std::move(lines_);
  }

 private:
  void line(std::string text, Tone tone = Tone::plain) { lines_.push_back({std::move(text), tone}); }
  void head(std::string_view text) {
    line("");
    line(std::string(text), Tone::bold);
  }
  /// What a container can choose stands here. Whole, since it may be wanted for copying.
  void field(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    constexpr std::size_t kIndent = 12;
    const std::size_t room = columns_ > kIndent + 8 ? columns_ - kIndent : 8;
    const std::string safe = terminal_safe(value);
    std::string_view left = safe;
    std::string piece;
    std::size_t used = 0, pieces = 0;
    const auto put = [&] {
      line(fmt::format("  {:<9} {}", pieces++ == 0 ? name : "", piece));
      piece.clear();
      used = 0;
    };
    while (!left.empty() && pieces < kPieces) {
      const Character c = take_character(left);
      if (used + c.columns > room) put();
      append_utf8(piece, c.code);
      used += c.columns;
    }
    put();
  }
  [[nodiscard]] std::string bytes(Metric metric) const {
    const auto value = now_.get(metric);
    return value ? format_bytes(Bytes(*value)) : "-";
  }
  [[nodiscard]] std::string count(Metric metric) const { return count_text(now_.get(metric)); }

  void identity() {
    const Container& c = row_.subject.container;
    field("name", c.name);
    field("runtime", to_string(c.runtime));
    field("id", c.id);
    field("image", c.image);
    field("cgroup", c.cgroup);
    if (!c.compose_project.empty()) field("compose", c.compose_project + "/" + c.compose_service);
    std::size_t shown = 0;
    for (const auto& [key, value] : c.labels) {
      if (shown++ == kLabels) {
        line(fmt::format("            and {} more labels", c.labels.size() - kLabels), Tone::dim);
        break;
      }
      field(shown == 1 ? "labels" : "", key + "=" + value);
    }
  }

  void use() {
    const TopUse& use = row_.use;
    head("Use");
    line(fmt::format("  CPU       {} of one CPU: {} user, {} kernel", share_text(use.cpu),
                     share_text(use.cpu_user), share_text(use.cpu_system)));
    if (row_.throttled)
      line(fmt::format("  throttled {} {}", share_text(row_.throttled),
                       row_.throttled_above ? "of the time, by a level above" : "of its periods"),
           lost_tone(row_.throttled));
    if (now_.get(Metric::memory_current))
      line(fmt::format("  memory    {}: {} anonymous, {} page cache; {} at most",
                       bytes(Metric::memory_current), bytes(Metric::memory_anon), bytes(Metric::memory_file),
                       bytes(Metric::memory_peak)));
    if (row_.io)
      line(fmt::format("  IO        {}/s read in {:.0f} calls, {}/s written in {:.0f} calls",
                       size_text(use.io_read), use.io_reads.value_or(0), size_text(use.io_written),
                       use.io_writes.value_or(0)));
    if (now_.get(Metric::pids_current)) line(fmt::format("  pids      {}", count(Metric::pids_current)));
    if (now_.get(Metric::memory_max))
      line(fmt::format("  over memory.high {} times, at memory.max {} times, {} processes killed",
                       count(Metric::memory_high), count(Metric::memory_max), count(Metric::memory_oom_kill)),
           now_.get(Metric::memory_oom_kill).value_or(0) > 0 ? Tone::bad : Tone::plain);
  }

  template <typename T, typename Text>
  void limit(std::string_view name, const std::optional<cgroup::Effective<T>>& held, const Text& text) {
    if (!held) return line(fmt::format("  {:<12} -", name), Tone::dim);
    if (held->holder.empty()) return line(fmt::format("  {:<12} max", name), Tone::dim);
    const bool own = held->holder == row_.subject.container.cgroup;
    line(fmt::format("  {:<12} {:<22} {}", name, text(held->value),
                     own ? "its own" : "held above, by " + terminal_safe(held->holder)));
  }

  void limits() {
    head("Limits that hold");
    const auto size = [](const Limit<Bytes>& value) { return format_bytes(value.value()); };
    limit("cpu.max", details_.held.cpu_max, [](const cgroup::CpuMax& value) {
      return fmt::format("{} CPUs ({})", cpus_text(value.cpus().value()), cgroup::to_kernel(value));
    });
    limit("memory.high", details_.held.memory_high, size);
    limit("memory.max", details_.held.memory_max, size);
    limit("pids.max", details_.held.pids_max,
          [](const Limit<cgroup::Pids>& value) { return fmt::format("{}", value.value().count()); });
  }

  void pressure() {
    struct Line {
      std::string_view name;
      std::optional<double> TopPressure::* which;
    };
    constexpr Line kLines[] = {
        {"CPU", &TopPressure::cpu}, {"memory", &TopPressure::memory}, {"IO", &TopPressure::io}};
    head("Pressure: time some, and all, of its tasks waited");
    for (const Line& each : kLines) {
      const auto& some = row_.use.some.*each.which;
      line(fmt::format("  {:<9} {} {:>5} some {:>5} all", each.name,
                       spark_line(details_.track, each.which, kSparks, charset_), share_text(some),
                       share_text(row_.use.full.*each.which)),
           lost_tone(some));
    }
  }

  void events() {
    if (details_.events.empty()) return;
    head("Events");
    const std::size_t from = details_.events.size() - std::min(details_.events.size(), kEvents);
    for (const std::string& event : details_.events.subspan(from)) line("  " + event);
  }

  /// Twice of what holds it is a first try; the numbers are for the user to change.
  void next() {
    if (details_.ended) return;
    head("What to type next");
    const std::string& target = details_.target;
    std::string set = "memory=512M";
    if (const auto memory = memory_limit(now_); memory && !memory->is_unlimited())
      set = fmt::format("memory={}", format_bytes(Bytes(memory->value().count() * 2)));
    if (const auto cpus = cpu_limit(now_); cpus && !cpus->is_unlimited())
      set = fmt::format("cpus={}", cpus_text(cpus->value() * 2));
    for (const auto& [command, why] :
         {std::pair<std::string, std::string_view>(fmt::format("weir set {} {} --dry-run", target, set),
                                                   "tries a limit"),
          {fmt::format("weir watch {}", target), "tells what happens to it"},
          {fmt::format("weir changes {}", target), "who changed its limits"},
          {"weir undo", "takes the last change back"}})
      line(fmt::format("  {:<44} # {}", terminal_safe(command), why));
  }

  void everything() {
    head("All that was read");
    for (const MetricInfo& each : metrics()) {
      const auto value = now_.get(each.metric);
      const std::string text = !value               ? std::string(to_string(now_.known[index(each.metric)]))
                               : *value == kNoLimit ? "max"
                                                    : fmt::format("{}", *value);
      line(fmt::format("  {:<25} {:>15}  {}", each.name, text, each.about), value ? Tone::plain : Tone::dim);
    }
  }

  const TopDetails& details_;
  const TopRow& row_;
  const Sample& now_;
  std::size_t columns_;
  Charset charset_;
  std::vector<TopLine> lines_;
};

}  // namespace

std::vector<TopLine> details_lines(const TopDetails& details, std::size_t columns, Charset charset) {
  return Page(details, columns, charset).lines();
}

}  // namespace weir::cli
