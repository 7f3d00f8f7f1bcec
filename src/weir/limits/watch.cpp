// SPDX-License-Identifier: MIT
#include "weir/limits/watch.h"

#include <algorithm>
#include <utility>

#include "weir/limits/undo.h"
#include "weir/proc/process.h"

namespace weir::limits {
namespace {

/// More often than this within the span, and someone else insists: two that insist would never end.
constexpr std::size_t kMostReapplied = 10;
constexpr std::chrono::seconds kReapplySpan{30};
/// How long a difference lasts before it is believed.
constexpr std::chrono::milliseconds kSettle{500};

std::string text_of(const char (&comm)[16]) {
  return {comm, std::find(std::begin(comm), std::end(comm), '\0')};
}

}  // namespace

std::string_view to_string(WatchEvent::Kind kind) {
  using enum WatchEvent::Kind;
  switch (kind) {
    case taken_up:
      return "taken-up";
    case yielded:
      return "yielded";
    case reapplied:
      return "reapplied";
    case gave_up:
      return "gave-up";
    case adopted:
      return "adopted";
    case released:
      return "released";
    case not_held:
      return "not-held";
    case ended:
      return "ended";
  }
  return "ended";
}

void Watch::say(Kind kind, const Looked& looked, const cgroup::Setting& found, std::optional<Error> error) {
  WatchEvent event{.kind = kind,
                   .time = sources_.clock.realtime(),
                   .container = looked.container,
                   .wanted = looked.wanted,
                   .found = found,
                   .by = looked.by,
                   .error = std::move(error),
                   .after = {}};
  events_.push_back(std::move(event));
}

bool Watch::look_after(const Container& container, std::unique_ptr<cgroup::Dir> dir,
                       const cgroup::Setting& wanted, bool held) {
  const Place where{dir->id(), wanted.knob, wanted.device};
  if (places_.contains(where) || left_.contains(where)) return false;
  Looked looked{.container = container, .dir = std::move(dir), .wanted = wanted, .held = held};
  if (const auto file = looked.dir->file_id(cgroup::info(wanted.knob).file)) {
    looked.file = *file;
    if (sources_.knobs != nullptr) (void)sources_.knobs->watch(looked.file);  // else it is read again in time
  }
  if (const auto change = last(looked)) looked.known = std::pair(change->id, change->phase);
  by_file_.emplace(looked.file, where);
  places_.emplace(where, std::move(looked));
  return true;
}

void Watch::hold(const Container& container, const std::vector<cgroup::Setting>& settings) {
  for (const cgroup::Setting& setting : settings) {
    auto dir = cgroup::open_path(sources_.root, container.cgroup);
    if (!dir) return;  // ended meanwhile
    const Place where{(*dir)->id(), setting.knob, setting.device};
    if (!look_after(container, std::move(*dir), setting, true)) continue;
    Looked& looked = places_.at(where);
    auto now = cgroup::read_setting(*looked.dir, setting);
    if (now) looked.wanted = cgroup::complete(setting, *now);
    say(Kind::taken_up, looked, now ? *now : setting);
    check(looked);
  }
}

Result<void> Watch::watch_journal() {
  WEIR_TRY(History history, read_history(sources_.paths.run_dir, sources_.boot_id));
  for (const auto& [where, chain] : chains(history.changes)) {
    const Change& change = *chain.back();
    if (places_.contains(where)) continue;
    auto dir = open_cgroup(sources_.root, change);
    if (!dir) continue;  // ended
    const auto now = cgroup::read_setting(**dir, change.after);
    if (!now || *now != change.after) continue;  // not in force
    if (look_after({.name = change.name, .cgroup = change.cgroup}, std::move(*dir), change.after, false))
      say(Kind::taken_up, places_.at(where), *now);
  }
  return {};
}

void Watch::take_writes() {
  if (sources_.knobs == nullptr) return;
  std::vector<knob_watch_event> writes;
  sources_.knobs->drain(writes);
  for (const knob_watch_event& write : writes) {
    const auto [begin, end] = by_file_.equal_range(write.file);
    for (auto each = begin; each != end; ++each) {
      Looked& looked = places_.at(each->second);
      looked.by = Writer{.pid = write.tgid, .uid = write.uid, .comm = text_of(write.comm), .cgroup = {}};
      // By its pid, a little later: only for people to read.
      const Pid pid(static_cast<std::int32_t>(write.tgid));
      if (auto path = proc::read_cgroup_path(sources_.paths.proc, pid)) looked.by->cgroup = std::move(*path);
      looked.by_at = nanoseconds(write.time_ns);
    }
  }
  for (const knob_watch_event& write : writes) {
    const auto [begin, end] = by_file_.equal_range(write.file);
    for (auto each = begin; each != end; ++each) check(places_.at(each->second));
  }
  for (const Place& where : std::exchange(over_, {})) forget(where);
}

void Watch::check_all() {
  for (auto& [where, looked] : places_) check(looked);
  for (const Place& where : std::exchange(over_, {})) forget(where);
}

void Watch::check(Looked& looked) {
  const Place where{looked.dir->id(), looked.wanted.knob, looked.wanted.device};
  const auto now = cgroup::read_setting(*looked.dir, looked.wanted);
  if (!now) {
    if (now.error().kind != ErrorKind::gone) return;
    say(Kind::ended, looked, looked.wanted);
    over_.push_back(where);
    return;
  }
  if (*now == looked.wanted) {
    looked.told = false;
    looked.differs_since.reset();
    return;
  }
  if (ours(looked, *now)) return;
  if (looked.held) {
    reapply(looked, *now);
    return;
  }
  // A runtime that rounds is put right by `set --sync` a moment later: only what stays is an end.
  const nanoseconds time = sources_.clock.monotonic();
  if (!looked.differs_since) looked.differs_since = time;
  if (time - *looked.differs_since < kSettle) return;
  say(Kind::yielded, looked, *now);
  over_.push_back(where);
}

std::optional<Change> Watch::last(const Looked& looked) const {
  auto record = read_last(sources_.paths.run_dir, sources_.boot_id,
                          {looked.dir->id(), looked.wanted.knob, looked.wanted.device});
  return record ? std::move(*record) : std::nullopt;
}

bool Watch::ours(Looked& looked, const cgroup::Setting& now) {
  const auto change = last(looked);
  if (!change || std::pair(change->id, change->phase) == looked.known) return false;
  looked.known = std::pair(change->id, change->phase);
  if (in_force(*change) && change->after == now) {
    looked.by.reset();
    looked.wanted = now;
    say(Kind::adopted, looked, now);
    return true;
  }
  if (change->phase == Phase::undone && change->before == now) {
    looked.by.reset();
    say(Kind::released, looked, now);
    over_.push_back(place(*change));
    return true;
  }
  return false;
}

void Watch::reapply(Looked& looked, const cgroup::Setting& now) {
  const nanoseconds time = sources_.clock.monotonic();
  while (!looked.reapplied.empty() && time - looked.reapplied.front() > kReapplySpan)
    looked.reapplied.pop_front();
  if (looked.reapplied.size() >= kMostReapplied) {
    say(Kind::gave_up, looked, now);
    over_.push_back({looked.dir->id(), looked.wanted.knob, looked.wanted.device});
    return;
  }
  Result<void> asked;
  if (!looked.in_care) {
    if (auto added = sources_.regulator.add(looked.container); !added)
      asked = std::unexpected(std::move(added).error());
    else
      looked.in_care = true;
  }
  if (asked) asked = sources_.regulator.ask(looked.dir->id(), looked.wanted);
  if (asked || std::exchange(looked.told, true)) return;
  say(Kind::not_held, looked, now, std::move(asked).error());
}

Result<void> Watch::turn() {
  WEIR_TRY(const std::vector<Written> all, sources_.regulator.turn());
  for (const Written& written : all) {
    const auto found = places_.find(place(written.outcome.change));
    if (found == places_.end() || written.outcome.status == Status::unchanged) continue;
    Looked& looked = found->second;
    if (written.outcome.status != Status::changed) {
      if (!std::exchange(looked.told, true))
        say(Kind::not_held, looked, written.outcome.change.before, written.outcome.error);
      continue;
    }
    looked.reapplied.push_back(sources_.clock.monotonic());
    say(Kind::reapplied, looked, written.outcome.change.before);
    if (looked.by) events_.back().after = looked.reapplied.back() - looked.by_at;
    looked.by.reset();
  }
  return {};
}

void Watch::forget(const Place& where) {
  const auto found = places_.find(where);
  if (found == places_.end()) return;
  const Looked& looked = found->second;
  if (looked.held) left_.insert(where);  // a container of this name that comes again is another cgroup
  if (sources_.knobs != nullptr) sources_.knobs->ignore(looked.file);
  const auto [begin, end] = by_file_.equal_range(looked.file);
  by_file_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == where; }));
  const bool alive = looked.dir->alive();
  places_.erase(found);
  const bool others =
      std::ranges::any_of(places_, [&](const auto& entry) { return entry.first.cgroup == where.cgroup; });
  if (!others || !alive) sources_.regulator.remove(where.cgroup);
}

}  // namespace weir::limits
