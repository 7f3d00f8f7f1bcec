// SPDX-License-Identifier: MIT
#include "weir/cli/top_draw.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/clock_text.h"
#include "weir/cli/top_columns.h"

namespace weir::cli {
namespace {

constexpr std::size_t kRoomy = 16;      ///< rows of a screen that has room for the meters
constexpr std::size_t kMeters = 4;      ///< their lines: CPU, memory, IO, the last event
constexpr std::size_t kTwoBlocks = 70;  ///< a screen that is narrower has the meters alone
constexpr std::size_t kLongestBar = 40;

bool has_meters(GridSize size) { return size.rows >= kRoomy; }

/// Above the rows of the table: title, meters, heads.
std::size_t lines_above(GridSize size) { return has_meters(size) ? kMeters + 2 : 2; }

std::string plural(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class Drawing {
 public:
  Drawing(const TopState& state, const TopScene& scene, GridSize size, Charset charset)
      : state_(state), scene_(scene), size_(size), grid_(size, charset) {}

  Grid draw() {
    title();
    if (state_.page == TopPage::table) {
      if (has_meters(size_)) meters();
      heads();
      rows();
    } else {
      text_page();
    }
    foot();
    return std::move(grid_);
  }

 private:
  void title() {
    std::size_t containers = 0, services = 0;
    for (const TopRow& row : scene_.view.rows)
      ++(row.subject.container.runtime == Runtime::systemd ? services : containers);
    const std::string left =
        fmt::format("weir top  {}  {}  {}{}", terminal_safe(scene_.host), clock_text(scene_.view.time),
                    plural(containers, "container"),
                    state_.services ? fmt::format(", {}", plural(services, "service")) : std::string());
    grid_.put(0, 0, left, {.tone = Tone::bold});
    const std::string right = state_.paused ? " PAUSED, Space goes on" : " " + terminal_safe(scene_.source);
    if (display_width(left) + display_width(right) < size_.columns || state_.paused)
      grid_.put_right(0, size_.columns, right, {.tone = Tone::plain, .reverse = state_.paused});
  }

  void meter(std::size_t line, std::string_view name, const std::optional<double>& share,
             std::string_view text, std::size_t columns) {
    grid_.put(line, 0, name, {.tone = Tone::bold});
    const std::size_t room = columns - std::min(columns, std::size_t{6} + display_width(text));
    const std::size_t width = std::min(room, kLongestBar);
    const Tone tone = share.value_or(0) > 0.95   ? Tone::bad
                      : share.value_or(0) > 0.85 ? Tone::warn
                                                 : Tone::good;
    if (share) grid_.put(line, 4, bar_text(*share, width, grid_.charset()), {.tone = tone});
    grid_.put(line, 4 + width + 1, text, {}, columns - std::min(columns, 5 + width));
  }

  void meters() {
    const bool both = size_.columns >= kTwoBlocks;
    const std::size_t columns = both ? size_.columns - pressure_columns() - 2 : size_.columns;
    const TopUse& host = scene_.view.host;
    const auto cpus = cpu_limit(host.now);
    const auto memory = memory_limit(host.now);
    const auto used = host.now.get(Metric::memory_current);

    std::string cpu_text = "-";
    std::optional<double> busy;
    if (host.cpu && cpus && !cpus->is_unlimited() && cpus->value() > 0) {
      busy = *host.cpu / cpus->value();
      cpu_text = fmt::format("{:>4} of {} CPUs", share_text(busy), cpus_text(cpus->value()));
      if (host.steal && *host.steal / cpus->value() >= 0.001)
        cpu_text += fmt::format(", {} stolen", share_text(*host.steal / cpus->value()));
    }
    meter(1, "CPU", busy, cpu_text, columns);

    std::string memory_text = "-";
    std::optional<double> full;
    if (used) {
      memory_text = format_bytes(Bytes(*used));
      if (memory && !memory->is_unlimited() && memory->value().count() > 0) {
        full = static_cast<double>(*used) / static_cast<double>(memory->value().count());
        memory_text = fmt::format("{:>4} of {}", share_text(full), format_bytes(memory->value()));
      }
    }
    meter(2, "Mem", full, memory_text, columns);

    std::string third = fmt::format("{} seen", plural(scene_.events, "event"));
    if (const auto kills = host.now.get(Metric::memory_oom_kill); kills && *kills > 0)
      third += fmt::format(", {} since boot", plural(*kills, "OOM kill"));
    grid_.put(3, 0, third, {.tone = Tone::dim}, columns);
    if (!scene_.notice.empty())
      grid_.put(4, 0, terminal_safe(scene_.notice), {.tone = Tone::warn});
    else
      grid_.put(4, 0, scene_.last_event, {.tone = Tone::dim});
    if (both) pressures(size_.columns - pressure_columns());
  }

  /// Of the host's pressures, beside the other meters.
  [[nodiscard]] std::size_t pressure_columns() const {
    return std::clamp<std::size_t>(size_.columns / 3, 32, 80);
  }

  void pressures(std::size_t column) {
    struct Line {
      std::string_view name;
      std::optional<double> TopPressure::* which;
    };
    constexpr Line kLines[] = {
        {"cpu", &TopPressure::cpu}, {"mem", &TopPressure::memory}, {"io", &TopPressure::io}};
    const std::size_t sparks = pressure_columns() - 18;
    for (std::size_t n = 0; n < std::size(kLines); ++n) {
      const auto& share = scene_.view.host.some.*kLines[n].which;
      const std::size_t line = n + 1;
      grid_.put(line, column, n == 0 ? "pressure" : "", {.tone = Tone::dim});
      grid_.put(line, column + 9, kLines[n].name, {.tone = Tone::bold});
      grid_.put(line, column + 13,
                spark_line(&scene_.history.host(), kLines[n].which, sparks, grid_.charset()));
      grid_.put_right(line, size_.columns, share ? share_text(share) : "-", {.tone = lost_tone(share)});
    }
  }

  void heads() {
    const std::size_t line = lines_above(size_) - 1;
    for (const TopPlaced& placed : place_columns(size_.columns)) {
      std::string title(placed.column->title);
      if (title.empty()) continue;
      if (placed.column->sort == state_.sort) {
        const bool down = (state_.order == TopOrder::usual) != (state_.sort == TopSort::name);
        const bool utf8 = grid_.charset() == Charset::utf8;
        title += down ? (utf8 ? "▼" : "v") : (utf8 ? "▲" : "^");
      }
      put_aligned(line, placed, title, {});
    }
    grid_.restyle(line, {.tone = Tone::plain, .reverse = true});
  }

  void put_aligned(std::size_t line, const TopPlaced& placed, std::string_view text, GridStyle style) {
    const std::size_t width = std::min(display_width(text), placed.width);
    const std::size_t at =
        placed.column->align == Align::right ? placed.at + placed.width - width : placed.at;
    grid_.put(line, at, text, style, placed.width);
  }

  void rows() {
    const std::size_t above = lines_above(size_);
    if (scene_.rows.empty()) {
      grid_.put(above + 1, 2, empty_text(), {.tone = Tone::dim});
      return;
    }
    const TopContext context{.host = scene_.view.host, .history = scene_.history, .charset = grid_.charset()};
    const std::vector<TopPlaced> columns = place_columns(size_.columns);
    for (std::size_t n = 0; n < page_lines(state_, size_); ++n) {
      const std::size_t which = state_.first + n;
      if (which >= scene_.rows.size()) break;
      for (const TopPlaced& placed : columns) {
        const Cell cell = placed.column->cell(scene_.rows[which], context, placed.width);
        // Pictures are made of our own characters; what a container can choose is text.
        const bool text = placed.column->kind == TopColumn::Kind::text;
        put_aligned(above + n, placed, text ? terminal_safe(cell.text) : cell.text, {.tone = cell.tone});
      }
      if (which == state_.position) grid_.restyle(above + n, {.tone = Tone::plain, .reverse = true});
    }
  }

  [[nodiscard]] std::string empty_text() const {
    if (!state_.filter.empty()) return "nothing here is called so; Esc clears the filter";
    return state_.services ? "no containers and no services here" : "no containers here; s shows services";
  }

  void text_page() {
    const std::vector<TopLine> help = state_.page == TopPage::help ? help_lines() : std::vector<TopLine>();
    const std::span<const TopLine> lines = state_.page == TopPage::help ? std::span(help) : scene_.details;
    const std::string name = state_.page == TopPage::help ? "help" : terminal_safe(scene_.details_of);
    grid_.put(1, 0, name, {.tone = Tone::bold});
    grid_.restyle(1, {.tone = Tone::plain, .reverse = true});
    for (std::size_t n = 0; n < page_lines(state_, size_); ++n) {
      const std::size_t which = state_.scroll + n;
      if (which >= lines.size()) break;
      grid_.put(2 + n, 0, lines[which].text, {.tone = lines[which].tone});
    }
  }

  void foot() {
    const std::size_t line = size_.rows - 1;
    if (state_.typing) {
      const std::string prompt = fmt::format("filter: {}_", terminal_safe(state_.filter));
      const std::string keys = "  Enter keeps it, Esc clears it";
      const std::size_t used = grid_.put(line, 0, prompt, {.tone = Tone::bold});
      grid_.put(line, used, keys, {.tone = Tone::dim});
      return;
    }
    std::string keys;
    switch (state_.page) {
      case TopPage::table:
        keys = "q quit  ? help  / filter  Enter details  c t m i p n sort  r reverse  s services";
        break;
      case TopPage::details:
      case TopPage::help:
        keys = "Esc back  Up Down scroll  Space pause";
        break;
    }
    if (state_.page == TopPage::table && !state_.filter.empty()) {
      grid_.put(line, 0, fmt::format("filter: {}  (Esc clears it)", terminal_safe(state_.filter)),
                {.tone = Tone::bold});
      return;
    }
    grid_.put(line, 0, keys, {.tone = Tone::dim});
  }

  const TopState& state_;
  const TopScene& scene_;
  GridSize size_;
  Grid grid_;
};

}  // namespace

std::size_t page_lines(const TopState& state, GridSize size) {
  const std::size_t around = (state.page == TopPage::table ? lines_above(size) : 2) + 1;
  return size.rows - std::min(size.rows, around);
}

Grid draw_top(const TopState& state, const TopScene& scene, GridSize size, Charset charset) {
  if (size.columns < kSmallestTop.columns || size.rows < kSmallestTop.rows) {
    Grid grid(size, charset);
    grid.put(0, 0, fmt::format("too small: {} x {}", kSmallestTop.columns, kSmallestTop.rows));
    return grid;
  }
  return Drawing(state, scene, size, charset).draw();
}

std::vector<TopLine> help_lines() {
  std::vector<TopLine> lines;
  for (const TopKeyHelp& key : top_key_help())
    lines.push_back({fmt::format("  {:<14} {}", key.keys, key.does)});
  lines.push_back({});
  lines.push_back({"Columns, as there is room for them:", Tone::bold});
  for (const TopColumn& column : top_columns())
    if (!column.title.empty()) lines.push_back({fmt::format("  {:<14} {}", column.title, column.about)});
  lines.push_back({});
  lines.push_back({"Bars show use against the limit, or, dim, against the host. Lines of pressure are"});
  lines.push_back({"drawn on a square-root scale: half the height is a quarter of the time."});
  lines.push_back({"Colour repeats what the numbers say: yellow over 10 % of time lost, or 90 % of a"});
  lines.push_back({"memory limit; red over 25 %, or at the limit. -: not counted here, which is not 0."});
  return lines;
}

}  // namespace weir::cli
