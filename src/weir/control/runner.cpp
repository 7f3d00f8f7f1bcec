// SPDX-License-Identifier: MIT
#include "weir/control/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "weir/base/text.h"
#include "weir/cgroup/knob.h"
#include "weir/container/match.h"
#include "weir/control/cgroup_label.h"
#include "weir/control/prepare.h"
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
/// Of a cpu.max that has none yet.
constexpr milliseconds kPeriod{100};

Result<limits::Regulator> open_regulator(const Runner::Sources& sources) {
  WEIR_TRY(limits::Journal journal, limits::Journal::open(sources.paths.run_dir, sources.boot_id));
  return limits::Regulator(sources.root, std::move(journal), sources.clock,
                           {.who = sources.who,
                            .reason = std::string(kReason),
                            .guarded = sources.guarded,
                            .starts = sources.starts});
}

/// What of an action is to be written first.
const cgroup::Setting& next_of(const Action& action) {
  return action.eases.empty() ? *action.setting : action.eases.front();
}

bool has_work(const Action& action) { return action.setting || !action.eases.empty(); }

/// Whether this is what the action asked for: of an io.max its own key counts.
bool carries_out(const limits::Change& change, const Action& action) {
  const cgroup::Setting& asked = next_of(action);
  return action.subject.cgroup_id == change.cgroup_id && limits::same_place(asked, change.after) &&
         (action.eases.empty() ? to_limit(action.resource, change.after) == action.decision.limit
                               : asked == change.after);
}

}  // namespace

Runner::Runner(Sources sources, Config config, Wakes wakes, std::optional<Writing> writing)
    : sources_(std::move(sources)),
      config_(std::make_unique<Config>(std::move(config))),
      model_(config_->model_path, config_->ml_mode, sources_.who.login_uid),
      controller_(std::make_unique<Controller>(*config_)),
      wakes_(std::move(wakes)),
      writing_(std::move(writing)),
      places_(sources_.root, sources_.clock),
      buffer_(kBuffer) {}

Result<Runner> Runner::open(Sources sources, Config config) {
  WEIR_TRY(Wakes wakes, Wakes::open(sources.waiting, sources.onset));
  std::optional<Writing> writing;
  if (sources.writes == Writes::yes) {
    WEIR_TRY(limits::Regulator regulator, open_regulator(sources));
    WEIR_TRY(MadeCgroups made, MadeCgroups::open(sources.paths.run_dir, sources.boot_id));
    if (regulator.fd() >= 0)
      WEIR_CHECK(sources.waiting.add(regulator.fd(), EPOLLIN, Wakes::kFirstNumber - 1));
    writing.emplace(std::move(regulator), std::move(made));
  }
  Runner runner(std::move(sources), std::move(config), std::move(wakes), std::move(writing));
  runner.make_places();
  return runner;
}

/// The cgroups that the configuration names by path: those that it may make are made.
void Runner::make_places() {
  std::vector<std::string> paths;
  for (const Entry& entry : config_->entries) {
    if (entry.target.kind != container::TargetKind::path) continue;
    paths.push_back(entry.target.first);
    tell(writing_ ? make_place(entry, sources_.root, writing_->made)
                  : rehearse(entry, sources_.root, sources_.paths));
  }
  places_.look_for(std::move(paths));
}

void Runner::tell(Prepared prepared) {
  std::ranges::move(prepared.steps, std::back_inserter(said_));
  std::ranges::move(prepared.troubles, std::back_inserter(notes_));
}

/// What lasts is told once.
void Runner::note(const Subject& subject, const Error& error) {
  std::string text = error.message();
  const auto member = members_.find(subject.cgroup_id);
  if (member != members_.end() && std::exchange(member->second.trouble, text) == text) return;
  notes_.push_back(fmt::format("{}: {}", subject.container.name, text));
}

/// The first that means it, as they are written.
const Entry* Runner::entry_of(const Subject& subject) const {
  const auto found = std::ranges::find_if(config_->entries, [&](const Entry& entry) {
    return container::matches(entry.target, subject.container);
  });
  return found == config_->entries.end() ? nullptr : &*found;
}

/// Which limits a controller set, as far as the journal knows.
std::map<limits::Place, Runner::Ours> Runner::find_ours(const Sources& sources) {
  std::map<limits::Place, Ours> ours;
  auto history = limits::read_history(sources.paths.run_dir, sources.boot_id);
  if (!history) return ours;
  for (const auto& [place, chain] : limits::chains(history->changes)) {
    if (chain.back()->reason != kReason) continue;
    const auto others = std::find_if(chain.rbegin(), chain.rend(),
                                     [](const limits::Change* each) { return each->reason != kReason; });
    ours.emplace(place, Ours{.before = (*others.base())->before, .after = chain.back()->after});
  }
  return ours;
}

/// What is in force of one resource; `ours_` is known.
Result<Controller::Present> Runner::find_present(const Managed& managed, const cgroup::Dir& dir) const {
  const auto ours = [&](const cgroup::Setting& setting) {
    const auto found = ours_->find({.cgroup = dir.id(), .knob = setting.knob, .device = setting.device});
    return found != ours_->end() && found->second.after == setting ? &found->second : nullptr;
  };
  WEIR_TRY(
      cgroup::Setting setting,
      cgroup::read_setting(dir, to_setting(managed.resource, managed.bounds.soft, managed.device, kPeriod)));
  const bool resumed = ours(setting) != nullptr;
  Controller::Present present{.setting = std::move(setting), .resumed = resumed};
  if (managed.resource != Resource::cpu || managed.policy->ease == nullptr) return present;
  for (const cgroup::Knob knob : {cgroup::Knob::cpu_max_burst, cgroup::Knob::cpu_weight}) {
    auto ease = cgroup::read_setting(dir, {.knob = knob, .device = {}, .text = {}});
    if (!ease) continue;  // the kernel does not have it
    if (const Ours* set = ours(*ease); set != nullptr && knob == cgroup::Knob::cpu_weight)
      present.weight_before = static_cast<double>(parse_u64(set->before.text).value_or(0));
    present.eases.push_back(std::move(*ease));
  }
  return present;
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
    auto each = find_present(managed, **dir);
    if (!each) return note(subject, each.error());
    present.push_back(std::move(*each));
  }
  if (writing_)
    if (auto added = writing_->regulator.add(subject.container); !added) return note(subject, added.error());
  if (const std::string label = describe_label(subject.container); !label.empty()) said_.push_back(label);
  wakes_.add(**dir);
  if (sources_.lost != nullptr) (void)sources_.lost->watch(subject.cgroup_id);
  Member member{.subject = subject,
                .dir = std::move(*dir),
                .above = above_.of(sources_.root, subject.container.cgroup),
                .lost = {},
                .settings = {}};
  for (const Controller::Present& each : present) {
    member.settings.push_back(each.setting);
    std::ranges::copy(each.eases, std::back_inserter(member.settings));
  }
  cgroup::Dir& kept = *members_.insert_or_assign(subject.cgroup_id, std::move(member)).first->second.dir;
  carry_out(controller_->add(subject, *entry, present, now()), events);
  if (writing_) tell(put_in(*entry, sources_.root, sources_.paths, kept));
}

void Runner::let_go(CgroupId cgroup) {
  if (members_.erase(cgroup) == 0) return;
  wakes_.remove(cgroup);
  if (sources_.lost != nullptr) sources_.lost->ignore(cgroup);
  controller_->remove(cgroup);
  model_.ended(cgroup);
  samples_.ended(cgroup);
  if (writing_) writing_->regulator.remove(cgroup);
  std::erase_if(asked_, [&](const Action& action) { return action.subject.cgroup_id == cgroup; });
}

void Runner::see_changes(const std::vector<sample::RosterChange>& changes, std::vector<Event>& events) {
  using Kind = sample::RosterChange::Kind;
  for (const sample::RosterChange& change : changes) {
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
    if (!has_work(action) || !writing_) {
      events.push_back(to_event(action, now()));
      is_in_force(action);  // without writes: as if it were, or the next look decides the same
      continue;
    }
    const auto before = std::ranges::find_if(asked_, [&](const Action& other) {
      return other.subject.cgroup_id == action.subject.cgroup_id && other.resource == action.resource &&
             other.device == action.device;
    });
    // Limit and burst together stay below the hard limit only if they are written as they were decided: what
    // is decided meanwhile is decided again.
    if (before != asked_.end() && (!before->eases.empty() || !action.setting)) continue;
    if (!ask_next(action)) continue;
    if (before != asked_.end()) {
      if (!limits::same_place(next_of(*before), next_of(action)))
        writing_->regulator.withdraw(action.subject.cgroup_id, next_of(*before));
      asked_.erase(before);
    }
    asked_.push_back(std::move(action));
  }
}

/// Asks for what of an action is to be written first.
bool Runner::ask_next(const Action& action) {
  // A raise at once forgives what the container has used in this period: now and then, not all the time.
  limits::Regulator& regulator = writing_->regulator;
  const bool at_once = action.urgent && (action.resource != Resource::cpu ||
                                         regulator.covers_urgent(action.subject.cgroup_id));
  const auto asked = regulator.ask(action.subject.cgroup_id, next_of(action),
                                   at_once ? limits::Urgency::urgent : limits::Urgency::normal);
  // Below what is in use by now: the next look says how much that is.
  if (!asked && asked.error().kind != ErrorKind::refused && asked.error().kind != ErrorKind::gone)
    note(action.subject, asked.error());
  return asked.has_value();
}

/// Writes what is due, and tells it. What cannot be journalled is not written, and tried again.
void Runner::write(std::vector<Event>& events) {
  if (!writing_) return;
  const auto all = writing_->regulator.turn();
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
      Member& member = members_.at(change.cgroup_id);
      member.trouble.clear();
      for (cgroup::Setting& known : member.settings)
        if (limits::same_place(known, change.after)) known = change.after;
      if (!action->eases.empty()) {
        controller_->eased(change.cgroup_id, change.after, now());
        action->eases.erase(action->eases.begin());
        if (has_work(*action)) {
          if (!ask_next(*action)) asked_.erase(action);
          continue;
        }
      }
      is_in_force(*action);
      if (written.outcome.status == limits::Status::changed) events.push_back(to_event(*action, now()));
    } else if (written.outcome.error && written.outcome.status != limits::Status::gone) {
      note(action->subject, *written.outcome.error);
      if (action->decision.cause == policy::Cause::bounds) look_again(change);
    }
    asked_.erase(action);
  }
}

/// At what could not be written, as if someone else had set it: a limit that must not stay is written again.
void Runner::look_again(const limits::Change& change) {
  const auto member = members_.find(change.cgroup_id);
  if (member == members_.end()) return;
  for (cgroup::Setting& known : member->second.settings)
    if (limits::same_place(known, change.after)) known.text.clear();
}

void Runner::is_in_force(const Action& action) {
  controller_->wrote(action, now());
  model_.wrote(action, now());
}

/// What was just decided, for those who follow it.
void Runner::see_looks() {
  if (!config_->samples.empty()) samples_.see(controller_->looks(), now());
  model_.see(controller_->looks(), now());
  controller_->use(model_.get());  // it may have been given up
}

void Runner::look_at_model() {
  model_.look(now());
  controller_->use(model_.get());
  std::ranges::move(model_.take_notes(), std::back_inserter(said_));
}

void Runner::see(const Frame& frame, std::vector<Event>& events) {
  carry_out(controller_->see(frame), events);
  see_looks();
}

Result<std::vector<Event>> Runner::turn(std::span<const Ready> ready) {
  std::vector<Event> events;
  for (const auto& [cgroup, resource] : wakes_.take(ready)) {
    carry_out(controller_->wake(cgroup, resource, now()), events);
    see_looks();
  }
  write(events);  // before anything else is looked at: it may be held back right now
  WEIR_TRY(frame_, sources_.frames.next());
  see_changes(sources_.frames.take_changes(), events);
  const nanoseconds at = sources_.clock.monotonic();
  if (at - round_ >= kRound) {
    round_ = at;
    see_changes(places_.look([this](CgroupId id) { return seen_.contains(id); }), events);
    see_above();
    see_lost();
    see_settings(events);
    look_at_model();
  }
  if (frame_ != nullptr) see(*frame_, events);
  if (const Frame* plain = places_.next(); plain != nullptr) see(*plain, events);
  write(events);
  std::ranges::move(model_.take_events(), std::back_inserter(events));
  if (at - rearmed_ >= kRearmRound) {
    rearmed_ = at;
    wakes_.rearm();
  }
  return events;
}

nanoseconds Runner::again() const {
  const nanoseconds frames = std::min(sources_.frames.again(), places_.again());
  return writing_ && !failing_ ? std::min(frames, writing_->regulator.again()) : frames;
}

Result<std::vector<Event>> Runner::reconfigure(Config config) {
  while (!members_.empty()) let_go(members_.begin()->first);
  controller_.reset();
  *config_ = std::move(config);
  model_ = LiveModel(config_->model_path, config_->ml_mode, sources_.who.login_uid);
  controller_ = std::make_unique<Controller>(*config_);
  make_places();
  std::vector<Event> events;
  for (const auto& [id, subject] : seen_) take_in(subject, events);
  ours_.reset();
  write(events);
  return events;
}

Result<void> Runner::restore() {
  if (!writing_) return {};
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
  std::ranges::move(writing_->made.remove_all(sources_.root), std::back_inserter(notes_));
  if (result.trouble) return std::unexpected(*result.trouble);
  return {};
}

}  // namespace weir::control
