// SPDX-License-Identifier: MIT
#include "weir/cli/recorded.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "weir/cli/clock_text.h"
#include "weir/cli/when.h"
#include "weir/container/match.h"

namespace weir::cli {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kNear{2};

std::string text_of(const history::Found& found, nanoseconds asked, nanoseconds now) {
  const nanoseconds recorded = found.moment->now.time;
  std::string text = "recorded at " + day_clock_text(recorded, now);
  if (asked - recorded <= kNear) return text;
  text += fmt::format(", nearest before {}; nothing was recorded from then ", day_clock_text(asked, now));
  return text + (found.next ? "until " + day_clock_text(*found.next, now) : "on");
}

}  // namespace

void add_history_option(CLI::App& command, std::string& directory) {
  command
      .add_option("--record-dir", directory,
                  "Where the history is (weir watch --record): logs/history, else the service's")
      ->type_name("DIR");
}

std::string history_directory(const std::string& given, const HostPaths& paths) {
  if (!given.empty()) return given;
  const std::string of_service = paths.state_dir + "/history";
  std::error_code ignored;
  const bool here = std::filesystem::exists(kHistoryDirectory, ignored);
  return !here && std::filesystem::exists(of_service, ignored) ? of_service : kHistoryDirectory;
}

Result<Recorded> recorded_at(const std::string& directory, std::string_view at, nanoseconds now) {
  Recorded recorded;
  WEIR_TRY(recorded.asked, parse_when(at, now));
  WEIR_TRY(history::Reader reader, history::Reader::open(directory));
  WEIR_TRY(history::Found found, reader.frames_at(recorded.asked));
  if (!found.moment) {
    return std::unexpected(make_error(
        ErrorKind::absent, directory,
        fmt::format("holds nothing from {} or before", day_clock_text(recorded.asked, now)),
        found.next ? "its first frame is of " + day_clock_text(*found.next, now) : "it holds no frames yet"));
  }
  recorded.text = text_of(found, recorded.asked, now);
  recorded.moment = std::move(*found.moment);
  return recorded;
}

bool is_meant(const std::vector<container::Target>& targets, const Container& container) {
  return targets.empty() || std::ranges::any_of(targets, [&](const container::Target& target) {
           using enum container::TargetKind;
           return container::matches(target, container) ||
                  ((target.kind == name || target.kind == runtime_name) &&
                   container::has_id_prefix(target, container));
         });
}

Result<std::vector<container::Target>> parse_recorded_targets(const std::vector<std::string>& texts) {
  std::vector<container::Target> targets;
  for (const std::string& text : texts) {
    WEIR_TRY(container::Target target, container::parse_target(text));
    if (target.kind == container::TargetKind::pid)
      return std::unexpected(make_error(ErrorKind::invalid, text, "cannot be asked for in the past",
                                        "pids are used again: name the container"));
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace weir::cli
