// SPDX-License-Identifier: MIT
#include "weir/control/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "weir/cgroup/knob.h"
#include "weir/container/match.h"
#include "weir/limits/undo.h"

namespace weir::control {
namespace {

using policy::Resource;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// How often limits are read that others may have set.
constexpr std::chrono::seconds kRound{1};
/// A limit that holds tells again and again: each of the kernel's notifications at most so often.
constexpr milliseconds kRearmRound{90};
constexpr std::size_t kBuffer = 4096;

Result<limits::Regulator> open_regulator(const Runner::Sources& sources) {
  WEIR_TRY(limits::Journal journal, limits::Journal::open(sources.paths.run_dir, sources.boot_id));
  return limits::Regulator(sources.root, std::move(journal), sources.clock,
                           {.who = sources.who,
                            .reason = std::string(kReason),
                            .guarded = sources.guarded,
                            .starts = sources.starts});
}

/// Which limits a controller set, as far as the journal knows.
std::map<limits::Place, cgroup::Setting> find_ours(const Runner::Sources& sources) {
  std::map<limits::Place, cgroup::Setting> ours;
  auto history = limits::read_history(sources.paths.run_dir, sources.boot_id);
  if (!history) return ours;
  for (const auto& [place, chain] : limits::chains(history->changes))
    if (chain.back()->reason == kReason) ours.emplace(place, chain.back()->after);
  return ours;
}

/// Whether this is what the action asked for: of an io.max its own key counts.
bool carries_out(const limits::Change& change, const Action& action) {
  return action.subject.cgroup_id == change.cgroup_id && limits::same_place(*action.setting, change.after) &&
         to_limit(action.resource, change.after) == action.decision.limit;
}

}  // namespace

Runner::Runner(Sources sources, Config config, Wakes wakes, std::optional<limits::Regulator> regulator)
    : sources_(std::move(sources)),
      config_(std::make_unique<Config>(std::move(config))),
      controller_(std::make_unique<Controller>(*config_)),
      wakes_(std::move(wakes)),
      regulator_(std::move(regulator)),
      buffer_(kBuffer) {}

Result<Runner> Runner::open(Sources sources, Config config) {
  WEIR_TRY(Wakes wakes, Wakes::open(sources.waiting, sources.onset));
  std::optional<limits::Regulator> regulator;
  if (sources.writes == Writes::yes) {
    WEIR_TRY(limits::Regulator opened, open_regulator(sources));
    regulator.emplace(std::move(opened));
    if (regulator->fd() >= 0)
      WEIR_CHECK(sources.waiting.add(regulator->fd(), EPOLLIN, Wakes::kFirstNumber - 1));
  }
  return Runner(std::move(sources), std::move(config), std::move(wakes), std::move(regulator));
}

void Runner::note(const Subject& subject, const Error& error) {
  notes_.push_back(fmt::format("{}: {}", subject.container.name, error.message()));
}

/// The first that means it, as they are written.
const Entry* Runner::entry_of(const Subject& subject) const {
  const auto found = std::ranges::find_if(config_->entries, [&](const Entry& entry) {
    return container::matches(entry.target, subject.container);
  });
  return found == config_->entries.end() ? nullptr : &*found;
}

void Runner::take_in(const Subject& subject, std::vector<Event>& events) {
  const Entry* entry = entry_of(subject);
  if (entry == nullptr || members_.contains(subject.cgroup_id)) return;
  auto dir = limits::open_target(sources_.root, subject.container, sources_.guarded, limits::Force::no);
  if (!dir) return note(subject, dir.error());
  if ((*dir)->id() != subject.cgroup_id) return;
  if (!ours_) ours_ = find_ours(sources_);
  std::vector<Controller::Present> present;
  for (const Managed& managed : entry->resources) {
    const cgroup::Setting shape =
        to_setting(managed.resource, managed.bounds.soft, managed.device, std::chrono::milliseconds(100));
    auto setting = cgroup::read_setting(**dir, shape);
    if (!setting) return note(subject, setting.error());
    const auto ours =
        ours_->find({.cgroup = subject.cgroup_id, .knob = setting->knob, .device = setting->device});
    const bool resumed = ours != ours_->end() && ours->second == *setting;
    present.push_back({.setting = std::move(*setting), .resumed = resumed});
  }
  if (regulator_)
    if (auto added = regulator_->add(subject.container); !added) return note(subject, added.error());
  wakes_.add(**dir);
  if (sources_.lost != nullptr) (void)sources_.lost->watch(subject.cgroup_id);
  Member member{.subject = subject,
                .dir = std::move(*dir),
                .above = above_.of(sources_.root, subject.container.cgroup),
                .lost = {},
                .settings = {}};
  for (const Controller::Present& each : present) member.settings.push_back(each.setting);
  members_.insert_or_assign(subject.cgroup_id, std::move(member));
  carry_out(controller_->add(subject, *entry, present, now()), events);
}

void Runner::let_go(CgroupId cgroup) {
  if (members_.erase(cgroup) == 0) return;
  wakes_.remove(cgroup);
  if (sources_.lost != nullptr) sources_.lost->ignore(cgroup);
  controller_->remove(cgroup);
  samples_.ended(cgroup);
  if (regulator_) regulator_->remove(cgroup);
  std::erase_if(asked_, [&](const Action& action) { return action.subject.cgroup_id == cgroup; });
}

void Runner::see_roster(std::vector<Event>& events) {
  using Kind = sample::RosterChange::Kind;
  for (const sample::RosterChange& change : sources_.frames.take_changes()) {
    const CgroupId id = change.subject.cgroup_id;
    if (change.kind == Kind::ended) {
      seen_.erase(id);
      let_go(id);
      continue;
    }
    if (change.kind == Kind::renamed) let_go(id);  // another entry may mean it now
    seen_.insert_or_assign(id, change.subject);
    take_in(change.subject, events);
  }
  ours_.reset();
}

/// The tightest limits above each.
void Runner::see_above() {
  above_.read(sample::all_sources(), buffer_);
  for (const auto& [id, member] : members_) {
    Sample tightest;
    member.above.lower(sample::all_sources(), tightest);
    const auto cpu = tightest.get(Metric::cpu_limit).value_or(kNoLimit);
    const auto memory = std::min(tightest.get(Metric::memory_high_limit).value_or(kNoLimit),
                                 tightest.get(Metric::memory_max_limit).value_or(kNoLimit));
    controller_->limit_above(id, Resource::cpu, cpu == kNoLimit ? 0 : static_cast<double>(cpu) / 1e6);
    controller_->limit_above(id, Resource::memory, memory == kNoLimit ? 0 : static_cast<double>(memory));
  }
}

/// What the kernel summed up since the last round: time that limits above held, and that others used.
void Runner::see_lost() {
  if (sources_.lost == nullptr) return;
  for (auto& [id, member] : members_) {
    auto now = sources_.lost->read(id);
    const nanoseconds at = sources_.clock.monotonic();
    if (!now) continue;
    const auto share = [&](nanoseconds from, nanoseconds to) {
      return member.lost_at.count() == 0 ? 0.0
                                         : std::clamp(static_cast<double>((to - from).count()) /
                                                          static_cast<double>((at - member.lost_at).count()),
                                                      0.0, 1.0);
    };
    // Tasks that wait for each other wait for nobody else.
    const auto by_itself = [&](const bpf::LostTime::Sums& sums) {
      const auto own = std::ranges::find(sums.rivals, id, &bpf::LostTime::Sums::Rival::first);
      return own == sums.rivals.end() ? nanoseconds(0) : own->second;
    };
    const auto rival = std::ranges::find_if(now->rivals, [&](const auto& each) { return each.first != id; });
    std::string name;
    if (rival != now->rivals.end()) {
      const auto known = seen_.find(rival->first);
      name = known == seen_.end() ? fmt::format("cgroup {}", rival->first.count())
                                  : known->second.container.name;
    }
    controller_->lost(
        id,
        {.held_above = share(member.lost.held_above, now->held_above),
         .waited = share(member.lost.waited - by_itself(member.lost), now->waited - by_itself(*now))},
        std::move(name));
    member.lost = std::move(*now);
    member.lost_at = at;
  }
}

/// What someone else set.
void Runner::see_settings(std::vector<Event>& events) {
  for (auto& [id, member] : members_)
    for (cgroup::Setting& known : member.settings) {
      auto setting = cgroup::read_setting(*member.dir, known);
      if (!setting || *setting == known) continue;
      known = std::move(*setting);
      carry_out(controller_->found(id, known, now()), events);
    }
}

void Runner::carry_out(std::vector<Action> actions, std::vector<Event>& events) {
  for (Action& action : actions) {
    if (!action.setting || !regulator_) {
      events.push_back(to_event(action, now()));
      controller_->wrote(action, now());  // without writes: as if it were, or the next look decides the same
      continue;
    }
    const auto asked = regulator_->ask(action.subject.cgroup_id, *action.setting,
                                       action.urgent ? limits::Urgency::urgent : limits::Urgency::normal);
    if (!asked) {
      // Below what is in use by now: the next look says how much that is.
      if (asked.error().kind != ErrorKind::refused && asked.error().kind != ErrorKind::gone)
        note(action.subject, asked.error());
      continue;
    }
    std::erase_if(asked_, [&](const Action& other) {
      return other.subject.cgroup_id == action.subject.cgroup_id && other.resource == action.resource &&
             other.device == action.device;
    });
    asked_.push_back(std::move(action));
  }
}

/// Writes what is due, and tells it. What cannot be journalled is not written, and tried again.
void Runner::write(std::vector<Event>& events) {
  if (!regulator_) return;
  const auto all = regulator_->turn();
  if (!all && !std::exchange(failing_, true))
    notes_.push_back(fmt::format("limits stay as they are: {}", all.error().message()));
  if (!all) return;
  failing_ = false;
  for (const limits::Written& written : *all) {
    const limits::Change& change = written.outcome.change;
    const auto action =
        std::ranges::find_if(asked_, [&](const Action& each) { return carries_out(change, each); });
    if (action == asked_.end()) continue;
    const bool done = written.outcome.status == limits::Status::changed ||
                      written.outcome.status == limits::Status::unchanged;
    if (done) {
      controller_->wrote(*action, now());
      for (cgroup::Setting& known : members_.at(change.cgroup_id).settings)
        if (limits::same_place(known, change.after)) known = change.after;
      if (written.outcome.status == limits::Status::changed) events.push_back(to_event(*action, now()));
    } else if (written.outcome.error && written.outcome.status != limits::Status::gone) {
      note(action->subject, *written.outcome.error);
    }
    asked_.erase(action);
  }
}

Result<std::vector<Event>> Runner::turn(std::span<const Ready> ready) {
  std::vector<Event> events;
  for (const auto& [cgroup, resource] : wakes_.take(ready)) {
    carry_out(controller_->wake(cgroup, resource, now()), events);
    if (!config_->samples.empty()) samples_.see(controller_->looks(), now());
  }
  write(events);  // before anything else is looked at: it may be held back right now
  WEIR_TRY(const Frame* frame, sources_.frames.next());
  see_roster(events);
  const nanoseconds at = sources_.clock.monotonic();
  if (at - round_ >= kRound) {
    round_ = at;
    see_above();
    see_lost();
    see_settings(events);
  }
  if (frame != nullptr) {
    carry_out(controller_->see(*frame), events);
    if (!config_->samples.empty()) samples_.see(controller_->looks(), now());
  }
  write(events);
  if (at - rearmed_ >= kRearmRound) {
    rearmed_ = at;
    wakes_.rearm();
  }
  return events;
}

nanoseconds Runner::again() const {
  const nanoseconds frames = sources_.frames.again();
  return regulator_ && !failing_ ? std::min(frames, regulator_->again()) : frames;
}

Result<std::vector<Event>> Runner::reconfigure(Config config) {
  while (!members_.empty()) let_go(members_.begin()->first);
  controller_.reset();
  *config_ = std::move(config);
  controller_ = std::make_unique<Controller>(*config_);
  std::vector<Event> events;
  for (const auto& [id, subject] : seen_) take_in(subject, events);
  ours_.reset();
  write(events);
  return events;
}

Result<void> Runner::restore() {
  if (!regulator_) return {};
  while (!members_.empty()) let_go(members_.begin()->first);
  WEIR_TRY(limits::Journal journal, limits::Journal::open(sources_.paths.run_dir, sources_.boot_id));
  const limits::UndoOrder order{
      .selection = {.kind = limits::Selection::Kind::reason, .reason = std::string(kReason)},
      .by = "taken back when weir control ended"};
  WEIR_TRY(limits::History history, limits::read_settled(sources_.root, journal, order));
  const limits::UndoResult result = limits::undo(sources_.root, std::move(history), &journal, order);
  for (const limits::Outcome& outcome : result.outcomes)
    if (outcome.error && outcome.status != limits::Status::gone)
      notes_.push_back(fmt::format("{}: {} stays {}: {}", outcome.change.name,
                                   cgroup::info(outcome.change.after.knob).file, outcome.change.before.text,
                                   outcome.error->message()));
  if (result.trouble) return std::unexpected(*result.trouble);
  return {};
}

}  // namespace weir::control
