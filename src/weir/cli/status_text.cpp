// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "weir/base/escape.h"
#include "weir/cli/help.h"
#include "weir/cli/outcome.h"
#include "weir/cli/status.h"
#include "weir/cli/table.h"

namespace weir::cli {
namespace {

using limits::SyncRecord;
using limits::SyncState;

/// One section: what it is about, in one sentence, and lines below it.
struct Section {
  std::string title, sentence;
  Tone tone = Tone::plain;
  std::vector<std::string> lines;
};

std::string_view plural(std::size_t n) { return n == 1 ? "" : "s"; }

std::size_t count(const std::vector<SyncRecord>& syncs, SyncState state) {
  return static_cast<std::size_t>(std::ranges::count(syncs, state, &SyncRecord::state));
}

/// "2 h 5 min", "48 s": the two greatest units.
std::string span_text(std::chrono::nanoseconds span) {
  const auto seconds = std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(span).count(), 0);
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3600);
}

Section limits_section(const HostStatus& status) {
  Section section{.title = "limits", .sentence = {}, .lines = {}};
  const auto changed =
      std::ranges::count(status.limits, limits::Standing::changed, &limits::Listed::standing);
  section.sentence = fmt::format("{} in force", status.limits.size() - static_cast<std::size_t>(changed));
  if (changed > 0)
    section.sentence += fmt::format(", {} changed by someone else since (weir changes)", changed);
  if (!status.differing.empty()) {
    section.sentence += fmt::format("; {} container{} whose runtime says otherwise", status.differing.size(),
                                    plural(status.differing.size()));
    section.tone = Tone::warn;
  }
  for (const HostStatus::Differing& one : status.differing)
    for (const std::string& how : one.how) section.lines.push_back(fmt::format("{}: {}", one.name, how));
  for (const std::string& why : status.unasked) section.lines.push_back(fmt::format("not asked: {}", why));
  return section;
}

Section syncs_section(const HostStatus& status) {
  const std::size_t failed = count(status.syncs, SyncState::failed);
  const std::size_t pending = count(status.syncs, SyncState::pending);
  Section section{.title = "sync", .sentence = {}, .tone = failed > 0 ? Tone::bad : Tone::plain, .lines = {}};
  section.sentence = fmt::format("{} told and agreed, {} pending, {} failed",
                                 count(status.syncs, SyncState::agreed), pending, failed);
  for (const SyncRecord& record : status.syncs) {
    const std::string& name = record.subject.name;
    if (record.state == SyncState::pending)
      section.lines.push_back(fmt::format("{}: to be told for {}; weir sync does it now", name,
                                          span_text(status.now - record.time)));
    if (record.state == SyncState::failed) {
      section.lines.push_back(
          fmt::format("{}: failed {} time{}: {}", name, record.tries, plural(record.tries), record.why));
      section.lines.push_back(
          fmt::format("{}: {}", name, record.hint.empty() ? "weir sync tries again" : record.hint));
    }
    for (const std::string& note : record.notes) section.lines.push_back(fmt::format("{}: {}", name, note));
  }
  if (status.damaged > 0)
    section.lines.push_back(fmt::format("{} damaged records were passed over", status.damaged));
  return section;
}

Section timers_section(const HostStatus& status) {
  Section section{.title = "timers", .sentence = {}, .lines = {}};
  for (const limits::Listed& listed : status.limits) {
    const limits::Change& change = listed.change;
    if (change.restore_at.count() == 0) continue;
    const auto left = change.restore_at - status.now;
    section.lines.push_back(fmt::format(
        "{}: {} back to {} {}", change.name, cgroup::info(change.after.knob).file, value_text(change.before),
        left.count() > 0 ? "in " + span_text(left) : "is overdue; weir undo"));
  }
  section.sentence = section.lines.empty() ? "none pending"
                                           : fmt::format("{} limit{} will be taken back",
                                                         section.lines.size(), plural(section.lines.size()));
  return section;
}

Section guard_section(const HostStatus& status) {
  return {.title = "guard",
          .sentence = status.guard ? fmt::format("runs (pid {})", status.guard->count()) : "does not run",
          .lines = {}};
}

}  // namespace

std::string status_text(const HostStatus& status, std::size_t columns, bool colour) {
  std::string text;
  for (const Section& section :
       {limits_section(status), syncs_section(status), timers_section(status), guard_section(status)}) {
    constexpr std::size_t kIndent = 8;
    text += fmt::format("{:<{}}", section.title, kIndent);
    text += paint(wrap(section.sentence, columns - kIndent, kIndent), section.tone, colour);
    text += '\n';
    for (const std::string& line : section.lines)
      text +=
          fmt::format("{:<{}}{}\n", "", kIndent, wrap(terminal_safe(line), columns - kIndent, kIndent + 2));
  }
  return text;
}

}  // namespace weir::cli
