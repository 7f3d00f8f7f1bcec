// SPDX-License-Identifier: MIT
// Distributions in a terminal: one row of blocks for each method, all on the same log axis.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/text.h"
#include "weir/latency/report.h"
#include "weir/latency/scale.h"

namespace weir::latency {
namespace {

constexpr std::array<std::string_view, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::size_t kTitleWidth = 26;

/// "1 us" at the begin of each decade, where there is room.
std::string axis(const LogScale& scale, std::size_t cells) {
  std::string line(cells, ' ');
  for (int decade = 0; decade < scale.decades(); ++decade) {
    double ns = 1;
    for (int i = 0; i < scale.first_decade() + decade; ++i) ns *= 10;
    const std::string label = "|" + format_duration(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
    const std::size_t at =
        cells * static_cast<std::size_t>(decade) / static_cast<std::size_t>(scale.decades());
    if (at + label.size() <= cells) line.replace(at, label.size(), label);
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

/// Rare values stay visible: any count but zero is at least the lowest block.
std::string blocks(const std::vector<std::size_t>& counts) {
  const std::size_t most = std::ranges::max(counts);
  std::string line;
  std::size_t kept = 0;
  for (const std::size_t count : counts) {
    const std::size_t height = count == 0 ? 0 : std::max<std::size_t>(1, count * 8 / most);
    line += kBlocks.at(height);
    if (height > 0) kept = line.size();
  }
  return line.substr(0, kept);
}

}  // namespace

std::vector<std::string> histogram(const Report& report, cgroup::Knob knob, Stage stage, Direction direction,
                                   std::size_t columns) {
  std::vector<const Row*> rows;
  for (const MethodInfo& method : methods())
    if (const Row* row = find_row(report, method.method, knob, stage, direction)) rows.push_back(row);
  if (rows.empty()) return {};
  const LogScale scale = common_scale(rows);
  const std::size_t cells = std::clamp<std::size_t>(columns, kTitleWidth + 20, 160) - kTitleWidth;
  std::vector<std::string> lines{fmt::format("{:<{}}{}", "", kTitleWidth, axis(scale, cells))};
  for (const Row* row : rows)
    lines.push_back(fmt::format("{:<{}}{}", info(row->method).title, kTitleWidth,
                                blocks(scale.count(row->sorted_ns, cells))));
  return lines;
}

}  // namespace weir::latency
