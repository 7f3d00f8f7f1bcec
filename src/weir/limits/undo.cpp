// SPDX-License-Identifier: MIT
#include "weir/limits/undo.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "weir/base/clock.h"
#include "weir/limits/footprint.h"
#include "weir/limits/period.h"
#include "weir/limits/shrink_lock.h"

namespace weir::limits {
namespace {

using cgroup::Setting;

/// One place to put back: the changes of its chain that are taken out, oldest first.
struct Restore {
  std::vector<Change*> taken;
  Change shown;  ///< for the outcome and the order of writes: after is the goal

  [[nodiscard]] const Change& newest() const { return *taken.back(); }
  [[nodiscard]] const Setting& goal() const { return shown.after; }
};

/// memory.high goes from its old value to the new one in many steps (shrink.h) while its change is an intent.
bool on_the_way(const Change& change, const Setting& now) {
  if (now.knob != cgroup::Knob::memory_high) return false;
  const auto from = cgroup::parse_limit_bytes(change.before.text);
  const auto to = cgroup::parse_limit_bytes(change.after.text);
  const auto at = cgroup::parse_limit_bytes(now.text);
  return from && to && at && *to < *at && *at < *from;
}

class Undoer {
 public:
  Undoer(const cgroup::Dir& root, Journal* journal, const UndoOrder& order)
      : root_(root), journal_(journal), order_(order) {}

  UndoResult run(History history) {
    const std::uint64_t last = last_epoch(history);
    std::map<CgroupId, std::vector<Restore>> by_cgroup;
    for (auto& [where, chain] : chains(history.changes)) {
      if (order_.selection.kind == Selection::Kind::all) {
        by_cgroup[where.cgroup].push_back(restore(chain));
        continue;
      }
      // One run may have changed a place many times: those at the end of the chain go back together.
      const auto newest = std::find_if_not(chain.rbegin(), chain.rend(), [&](const Change* change) {
                            return selected(*change, last);
                          }).base();
      if (newest != chain.end()) by_cgroup[where.cgroup].push_back(restore({newest, chain.end()}));
      for (auto change = chain.begin(); change + 1 < newest; ++change)
        if (selected(**change, last)) unlink(**change, **(change + 1));
    }
    for (auto& [id, restores] : by_cgroup) put_back(restores);
    return std::move(result_);
  }

  /// The cgroups of which memory limits are taken back.
  std::vector<CgroupId> memory_of(const History& history) const {
    const std::uint64_t last = last_epoch(history);
    std::vector<CgroupId> cgroups;
    for (const Change& change : history.changes)
      if (in_force(change) && limits_memory(change.after.knob) &&
          (order_.selection.kind == Selection::Kind::all || selected(change, last)))
        cgroups.push_back(change.cgroup_id);
    return cgroups;
  }

 private:
  [[nodiscard]] bool selected(const Change& change, std::uint64_t last) const {
    if (order_.selection.kind == Selection::Kind::last) return change.id.epoch == last;
    if (order_.selection.kind == Selection::Kind::reason) return change.reason == order_.selection.reason;
    return change.id.epoch == order_.selection.epoch && change.time == order_.selection.time;
  }

  static std::uint64_t last_epoch(const History& history) {
    std::uint64_t last = 0;
    for (const Change& change : history.changes) {
      if (in_force(change)) last = change.id.epoch;
    }
    return last;
  }

  [[nodiscard]] Restore restore(std::vector<Change*> taken) const {
    auto first = taken.begin();
    if (order_.selection.kind == Selection::Kind::reason)
      for (auto change = taken.begin() + 1; change != taken.end(); ++change)
        if (others_between(**(change - 1), **change)) first = change;
    Change shown = *taken.back();
    shown.before = taken.back()->after;
    shown.after = (*first)->before;
    shown.note.clear();
    return {.taken = std::move(taken), .shown = std::move(shown)};
  }

  /// Takes a change out from under a later one: that one now goes back to where this one came from.
  void unlink(Change& change, Change& later) {
    if (journal_ != nullptr) {
      if (later.before == change.after) {
        later.before = change.before;
        note(later);
      }
      end(change, Phase::undone);
    }
    Change shown = change;
    shown.after = later.after;
    shown.before = later.after;
    shown.note = fmt::format("a later change ({}) stands on it", later.id.epoch);
    result_.outcomes.push_back({.change = std::move(shown), .status = Status::unchanged, .error = {}});
  }

  void put_back(std::vector<Restore>& restores) {
    auto dir = open_cgroup(root_, restores.front().newest());
    order_for_kernel(restores, [](const Restore& restore) -> const Change& { return restore.shown; });
    for (Restore& one : restores) {
      Outcome outcome = lost_ ? stopped(std::move(one.shown), *result_.trouble)
                        : dir ? put_back(**dir, one)
                              : stopped(std::move(one.shown), dir.error());
      if (journal_ != nullptr) {
        const bool over = outcome.status == Status::changed || outcome.status == Status::unchanged;
        for (auto change = one.taken.rbegin(); change != one.taken.rend(); ++change) {
          if (over)
            end(**change, Phase::undone);
          else if (outcome.status == Status::gone)
            end(**change, Phase::gone);
        }
      }
      result_.outcomes.push_back(std::move(outcome));
    }
  }

  Outcome put_back(cgroup::Dir& dir, const Restore& one) {
    Change shown = one.shown;
    auto now = cgroup::read_setting(dir, one.goal());
    if (!now) return stopped(std::move(shown), std::move(now).error());
    shown.before = *now;
    if (*now == one.goal()) {
      shown.note = "it was back already";
      return {.change = std::move(shown), .status = Status::unchanged, .error = {}};
    }
    // Any value of the chain is one that we wrote: an undo killed halfway leaves an earlier one. And a change
    // whose end is not known may have been killed just before its write.
    const Change& newest = one.newest();
    const bool ours =
        std::ranges::any_of(one.taken, [&](const Change* taken) { return taken->after == *now; }) ||
        (newest.phase == Phase::intent && (*now == newest.before || on_the_way(newest, *now)));
    if (order_.force == Force::no) {
      if (!ours)
        return stopped(std::move(shown), make_error(ErrorKind::refused, "",
                                                    fmt::format("{} was changed since: now {}",
                                                                cgroup::info(now->knob).file, now->text),
                                                    fmt::format("--force puts '{}' back", one.goal().text)));
      if (auto cut = check_memory_cut(dir, *now, one.goal());
          cut && *cut && one.goal().knob == cgroup::Knob::memory_max)
        return shrink_back(one, std::move(shown), *cut);
      if (auto fits = check_fits(dir, one.goal()); !fits)
        return stopped(std::move(shown), std::move(fits).error());
    }
    if (journal_ == nullptr) return {.change = std::move(shown), .status = Status::dry_run, .error = {}};
    if (newest.after.knob == cgroup::Knob::cpu_max) {
      one.taken.back()->refill = await_turn(dir, shown, newest.refill, clock_, patience_);
      shown.refill = one.taken.back()->refill;
    }
    if (auto written = cgroup::write_setting(dir, one.goal()); !written)
      return stopped(std::move(shown), std::move(written).error());
    return {.change = std::move(shown), .status = Status::changed, .error = {}};
  }

  /// A memory.max that goes down again goes the way of `set`. Only its brake is a change of its own.
  Outcome shrink_back(const Restore& one, Change shown, std::optional<Footprint> cut) {
    Step step{.wanted = one.goal(),
              .outcome = {.change = std::move(shown), .status = Status::dry_run, .error = {}, .shrink = cut}};
    if (journal_ == nullptr) return std::move(step.outcome);
    auto dir = open_cgroup(root_, one.newest());
    if (!dir) return stopped(std::move(step.outcome.change), std::move(dir).error());
    step.outcome.change.id = {.epoch = journal_->next_epoch(), .index = 0};
    PlannedTarget target{.dir = std::move(*dir), .steps = {}};
    const Write write{.target = &target, .step = &step};
    auto shrunk =
        shrink_first({&write, 1}, order_.patience, *journal_, [&](const Change& change) -> Result<void> {
          if (change.after.knob == cgroup::Knob::memory_max) return {};
          return journal_->append(change);
        });
    if (!shrunk) {
      lost_ = true;
      result_.trouble = std::move(shrunk).error();
    }
    step.outcome.change.id = one.newest().id;
    if (step.outcome.status != Status::dry_run) return std::move(step.outcome);
    // Nothing stood in the way any more when it was looked at again.
    if (auto written = cgroup::write_setting(*target.dir, one.goal()); !written)
      return stopped(std::move(step.outcome.change), std::move(written).error());
    step.outcome.status = Status::changed;
    return std::move(step.outcome);
  }

  [[nodiscard]] Result<void> check_fits(const cgroup::Dir& dir, const Setting& goal) const {
    if (order_.manner == Manner::timed && goal.knob != cgroup::Knob::memory_max) return {};
    return check_use(dir, goal);
  }

  static Outcome stopped(Change shown, Error error) {
    Status status = Status::failed;
    if (error.kind == ErrorKind::gone) status = Status::gone;
    if (error.kind == ErrorKind::refused) status = Status::refused;
    return {.change = std::move(shown), .status = status, .error = std::move(error)};
  }

  void end(Change& change, Phase phase) {
    change.phase = phase;
    change.note = phase == Phase::undone ? order_.by : "the cgroup ended";
    note(change);
  }

  void note(const Change& change) {
    if (lost_) return;
    if (auto noted = journal_->append(change); !noted && !result_.trouble)
      result_.trouble = std::move(noted).error();
  }

  const cgroup::Dir& root_;
  Journal* journal_;  ///< null: only say what would be done
  const UndoOrder& order_;
  const SystemClock clock_;
  nanoseconds patience_ = kPatience;
  bool lost_ = false;  ///< the journal could not be locked again
  UndoResult result_;
};

}  // namespace

Result<std::unique_ptr<cgroup::Dir>> open_cgroup(const cgroup::Dir& root, const Change& change) {
  auto dir = cgroup::open_path(root, change.cgroup);
  if (!dir && (dir.error().kind == ErrorKind::absent || dir.error().kind == ErrorKind::gone))
    return std::unexpected(make_error(ErrorKind::gone, "", "the container has ended: nothing to take back"));
  if (dir && (*dir)->id() != change.cgroup_id)
    return std::unexpected(
        make_error(ErrorKind::gone, "",
                   "the container has ended: another cgroup has its path now, with limits of its own"));
  return dir;
}

Result<History> read_settled(const cgroup::Dir& root, Journal& journal, const UndoOrder& order) {
  WEIR_TRY(History history, journal.read());
  const std::vector<CgroupId> cgroups = Undoer(root, &journal, order).memory_of(history);
  WEIR_TRY(const bool waited, await_shrinks(journal, cgroups, order.patience.interrupted));
  if (waited) return journal.read();
  return history;
}

UndoResult undo(const cgroup::Dir& root, History history, Journal* journal, const UndoOrder& order) {
  return Undoer(root, journal, order).run(std::move(history));
}

}  // namespace weir::limits
