// SPDX-License-Identifier: MIT
#include "weir/cli/doctor_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "weir/base/escape.h"
#include "weir/base/json.h"
#include "weir/cli/help.h"
#include "weir/cli/table.h"

namespace weir::cli {
namespace {

constexpr std::size_t kIndent = 31;   // "  partial  perf_event_paranoid  "
constexpr std::size_t kWidest = 110;  // lines longer than that are hard to read

Tone tone(doctor::Status status) {
  switch (status) {
    case doctor::Status::yes:
      return Tone::good;
    case doctor::Status::partial:
      return Tone::warn;
    case doctor::Status::no:
      return Tone::bad;
  }
  return Tone::plain;
}

}  // namespace

std::string doctor_text(std::span<const doctor::Check> checks, std::size_t columns, bool colour) {
  columns = std::min(columns, kWidest);
  std::string out = wrap(doctor::headline(checks), columns, 0) + '\n';
  std::optional<doctor::Theme> theme;
  for (const doctor::Check& check : checks) {
    if (theme != check.theme)
      out += fmt::format("\n{}\n", paint(doctor::title(check.theme), Tone::bold, colour));
    theme = check.theme;
    const doctor::Finding& finding = check.finding;
    const auto text = [&](const std::string& raw) { return wrap(terminal_safe(raw), columns, kIndent); };
    const std::string status = fmt::format("{:<7}", doctor::to_string(finding.status));
    out += fmt::format("  {}  {:<20}{}\n", paint(status, tone(finding.status), colour), check.name,
                       text(finding.why));
    const auto detail = [&](std::string_view label, const std::string& raw) {
      if (!raw.empty()) out += fmt::format("{:>{}}: {}\n", label, kIndent - 2, text(raw));
    };
    detail("costs", finding.cost);
    detail("to get it", finding.fix);
  }
  return out;
}

std::string doctor_json(std::span<const doctor::Check> checks) {
  Json list = Json::array();
  for (const doctor::Check& check : checks)
    list.push_back({{"name", std::string(check.name)},
                    {"status", std::string(doctor::to_string(check.finding.status))},
                    {"why", check.finding.why},
                    {"cost", check.finding.cost},
                    {"fix", check.finding.fix}});
  return dump_json({{"schema", 1}, {"checks", std::move(list)}}) + '\n';
}

}  // namespace weir::cli
