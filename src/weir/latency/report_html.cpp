// SPDX-License-Identifier: MIT
// The report as one page that needs nothing from outside: no script, no font, no picture, and a
// Content-Security-Policy that says so. Light and dark follow the reader's system.
#include <fmt/format.h>

#include <algorithm>

#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/latency/report.h"
#include "weir/latency/scale.h"

namespace weir::latency {
namespace {

constexpr double kLabel = 196, kPlot = 520, kNumbers = 184, kRow = 40, kBar = 28, kAxis = 26;
constexpr std::size_t kCells = 130;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>weir latency</title>
<style>
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1b1f23; --soft: #59636e; --line: #dfe3e6; --direct: #0b7a75; --slow: #8a5a12; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181b; --ink: #e8eaec; --soft: #9aa5af; --line: #2f363c; --direct: #3fc1b8; --slow: #d9a650; }
}
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.5rem 0 0; } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; font-weight: 600; }
p { margin: .5rem 0; } .soft { color: var(--soft); } .scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; } svg text { font: 13px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
.grid { stroke: var(--line); stroke-width: 1; } .base { stroke: var(--line); stroke-width: 1; } .direct { fill: var(--direct); } .slow { fill: var(--slow); } .median { stroke: var(--ink); stroke-width: 1.5; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin: 0 .35rem 0 1rem; vertical-align: -.05rem; } .key.direct { background: var(--direct); margin-left: 0; } .key.slow { background: var(--slow); }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 100%; } th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } th { font-weight: 600; color: var(--soft); } li { margin: .3rem 0; } ul { padding-left: 1.2rem; }
</style>
</head>
<body>
)";

std::string time(std::uint64_t ns) { return format_duration(std::chrono::nanoseconds(ns)); }

/// "17204 times faster"
std::string stage_title(const Row& row) {
  switch (row.stage) {
    case Stage::call:
      return "until the call returns";
    case Stage::write_entry:
      return "until the write reaches the kernel";
    case Stage::handler_done:
      return "until the kernel holds the new limit";
    case Stage::first_effect:
      break;
  }
  if (row.direction == Direction::raise) return "until a raise lets a throttled task run again";
  return row.knob == cgroup::Knob::cpu_max ? "until a cut first throttles" : "until a cut first reclaims";
}

std::string axis(const LogScale& scale, double height) {
  std::string svg;
  for (int decade = 0; decade <= scale.decades(); ++decade) {
    const double x = kLabel + kPlot * decade / scale.decades();
    std::int64_t ns = 1;
    for (int i = 0; i < scale.first_decade() + decade; ++i) ns *= 10;
    svg += fmt::format(R"(<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1:.1f}"/>)", x,
                       height - kAxis + 6);
    svg += fmt::format(R"(<text class="soft" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x,
                       height - 4, time(static_cast<std::uint64_t>(ns)));
  }
  return svg;
}

/// One method: its name, its distribution with a line at the median, the median and the ratio.
std::string row_svg(const Report& report, const Row& row, const LogScale& scale, double top) {
  const auto counts = scale.count(row.sorted_ns, kCells);
  const auto most = static_cast<double>(std::ranges::max(counts));
  const double base = top + kRow - 4;
  const double width = kPlot / static_cast<double>(kCells);
  const bool direct = info(row.method).speed == Speed::direct;
  std::string svg = fmt::format(R"(<g><title>{}: n {}, p50 {} [{}, {}], p90 {}, p99 {}, max {}</title>)",
                                html_escape(info(row.method).title), row.summary.n, time(row.summary.p50_ns),
                                time(row.summary.p50_ci95.low_ns), time(row.summary.p50_ci95.high_ns),
                                time(row.summary.p90_ns), time(row.summary.p99_ns), time(row.summary.max_ns));
  svg += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", kLabel - 14, base - 6,
                     html_escape(info(row.method).title));
  svg += fmt::format(R"(<line class="base" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)", kLabel,
                     kLabel + kPlot, base, base);
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    if (counts[cell] == 0) continue;
    // A single value among thousands must still be seen.
    const double height = std::max(2.0, kBar * static_cast<double>(counts[cell]) / most);
    svg += fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                       direct ? "direct" : "slow", kLabel + width * static_cast<double>(cell), base - height,
                       std::max(width - 0.6, 1.0), height);
  }
  const double x = kLabel + kPlot * scale.position(row.summary.p50_ns);
  svg += fmt::format(R"(<line class="median" x1="{0:.1f}" x2="{0:.1f}" y1="{1:.1f}" y2="{2:.1f}"/>)", x,
                     base - kBar - 3, base + 3);
  const std::string ratio = ratio_text(report, row);
  svg +=
      fmt::format(R"(<text x="{:.1f}" y="{:.1f}">{}<tspan class="soft">{}</tspan></text></g>)",
                  kLabel + kPlot + 14, base - 6, time(row.summary.p50_ns),
                  ratio.empty() || row.method == Method::docker_cli ? "" : fmt::format("  {} faster", ratio));
  return svg;
}

std::string figure(const Report& report, const std::vector<const Row*>& rows) {
  const LogScale scale = common_scale(rows);
  const double height = kRow * static_cast<double>(rows.size()) + kAxis;
  std::string svg =
      fmt::format(R"(<div class="scroll"><svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">)",
                  kLabel + kPlot + kNumbers, height, html_escape(stage_title(*rows.front())));
  svg += axis(scale, height);
  for (std::size_t i = 0; i < rows.size(); ++i)
    svg += row_svg(report, *rows[i], scale, kRow * static_cast<double>(i));
  return svg + "</svg></div>\n";
}

std::string table(const Report& report, const std::vector<const Row*>& rows) {
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>method</th><th>n</th><th>mean</th><th>p50</th><th>95 % "
      "interval</th>"
      "<th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>faster</th></tr></thead><tbody>\n";
  for (const Row* row : rows) {
    const Summary& s = row->summary;
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} – "
        "{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        html_escape(info(row->method).title), s.n, time(s.mean_ns), time(s.p50_ns), time(s.p50_ci95.low_ns),
        time(s.p50_ci95.high_ns), time(s.p90_ns), time(s.p99_ns), time(s.p999_ns), time(s.max_ns),
        ratio_text(report, *row));
  }
  return html + "</tbody></table></div>\n";
}

std::string heading(const Report& report) {
  const Setting& s = report.setting;
  std::string html = "<h1>How long a changed limit takes</h1>\n";
  html += fmt::format(
      "<p class=\"soft\">{} on {} CPUs{}{}, load {}, seed {}.{}{} Times on a log scale, from the start of "
      "the call; a line marks the median.</p>\n",
      html_escape(s.kernel), s.cpus,
      s.docker_version.empty() ? "" : ", Docker " + html_escape(s.docker_version),
      s.cgroup_driver.empty() ? "" : ", cgroup driver " + html_escape(s.cgroup_driver), html_escape(s.load),
      s.plan.seed, s.quick ? " A quick run: few iterations, wide intervals." : "",
      report.complete ? "" : " Ended early: what was timed until then.");
  html +=
      "<p><span class=\"key direct\"></span>a system call of ours<span class=\"key slow\"></span>another "
      "program does "
      "it</p>\n";
  return html;
}

std::string not_timed(const Report& report) {
  if (report.unsupported.empty()) return {};
  std::string html = "<h2>Not timed</h2>\n<ul>\n";
  for (const Unsupported& no : report.unsupported)
    html += fmt::format("<li>{} by {}{}: {}</li>\n", html_escape(raced(no.knob).file),
                        html_escape(info(no.method).title),
                        no.stage ? fmt::format(", {}", to_string(*no.stage)) : "", html_escape(no.reason));
  return html + "</ul>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  std::string html(kHead);
  html += heading(report);
  std::optional<cgroup::Knob> knob;
  for (std::size_t i = 0; i < report.rows.size();) {
    const Row& first = report.rows[i];
    std::vector<const Row*> rows;
    for (; i < report.rows.size() && report.rows[i].knob == first.knob &&
           report.rows[i].stage == first.stage && report.rows[i].direction == first.direction;
         ++i)
      rows.push_back(&report.rows[i]);
    if (knob != first.knob) html += fmt::format("<h2>{}</h2>\n", html_escape(raced(first.knob).file));
    knob = first.knob;
    html += fmt::format("<h3>{} <span class=\"soft\">({})</span></h3>\n", stage_title(first),
                        html_escape(first.hook));
    html += figure(report, rows) + table(report, rows);
  }
  html += not_timed(report);
  html += fmt::format("<p class=\"soft\">{} kernel events lost, {} writes failed.</p>\n</body>\n</html>\n",
                      report.lost_events, report.failed_writes);
  return html;
}

}  // namespace weir::latency
