// SPDX-License-Identifier: MIT
#include "weir/limits/change.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::limits {
namespace {

constexpr std::array<std::pair<Phase, std::string_view>, 5> kPhases = {{
    {Phase::intent, "intent"},
    {Phase::done, "done"},
    {Phase::failed, "failed"},
    {Phase::undone, "undone"},
    {Phase::gone, "gone"},
}};

}  // namespace

std::string_view to_string(Phase phase) {
  const auto* found = std::ranges::find(kPhases, phase, &decltype(kPhases)::value_type::first);
  return found == kPhases.end() ? "intent" : found->second;
}

std::optional<Phase> parse_phase(std::string_view text) {
  const auto* found = std::ranges::find(kPhases, text, &decltype(kPhases)::value_type::second);
  if (found == kPhases.end()) return std::nullopt;
  return found->first;
}

std::string_view to_string(Status status) {
  switch (status) {
    case Status::changed:
      return "changed";
    case Status::unchanged:
      return "unchanged";
    case Status::dry_run:
      return "dry-run";
    case Status::refused:
      return "refused";
    case Status::failed:
      return "failed";
    case Status::gone:
      return "gone";
    case Status::rolled_back:
      return "rolled-back";
  }
  return "failed";
}

}  // namespace weir::limits
