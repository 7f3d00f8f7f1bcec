// SPDX-License-Identifier: MIT
#include "weir/limits/held.h"

#include <ranges>
#include <utility>

#include "weir/limits/journal.h"
#include "weir/limits/plan.h"
#include "weir/limits/shrink_lock.h"
#include "weir/limits/undo.h"

namespace weir::limits {

using cgroup::Setting;

HeldLimits::HeldLimits(const cgroup::Dir& root, const Subject& subject, History& history, std::string boot_id)
    : history_(history),
      boot_id_(std::move(boot_id)),
      id_(subject.cgroup_id),
      chains_(chains(history.changes)) {
  if (subject.boot != boot_id_) return;
  if (auto dir = open_cgroup(root, {.cgroup = subject.cgroup, .cgroup_id = id_})) dir_ = std::move(*dir);
}

const Change* HeldLimits::newest(const Place& place) const {
  const auto chain = chains_.find(place);
  return chain == chains_.end() ? nullptr : chain->second.back();
}

std::vector<Setting> HeldLimits::settings() const {
  if (dir_ == nullptr) return {};
  return cgroup::read_settings(*dir_).value_or(std::vector<Setting>());
}

Result<void> HeldLimits::hold(const SyncRecord& record) {
  auto noted = dir_ != nullptr ? note(record) : Result<void>();
  if (noted || noted.error().kind != ErrorKind::gone) return noted;
  dir_.reset();  // it ended just now; Docker may still have to be told
  return {};
}

Result<void> HeldLimits::note(const SyncRecord& record) {
  for (const auto& [place, chain] : chains_) {
    if (place.cgroup != id_) continue;
    const Setting& after = chain.back()->after;
    WEIR_TRY(const Setting now, cgroup::read_setting(*dir_, after));
    if (now == after || now.text == rounded(after, kWholePercents) ||
        now.text == rounded(after, kHundredthsOfPercents))
      held_.insert_or_assign(place, after);
  }
  // One that was killed while it told a runtime may have left another value.
  for (const auto& [hold, taken_back] : record.holds) {
    const Place place{.cgroup = id_, .knob = hold.knob, .device = hold.device};
    const Change* change = newest(place);
    if (change == nullptr ? taken_back : !taken_back && change->after == hold)
      held_.insert_or_assign(place, hold);
  }
  for (const SyncPlace& place : record.places) {
    if (!place.asks.empty() || newest(place) != nullptr || holds(place)) continue;
    const Setting shape{.knob = place.knob, .device = place.device, .text = {}};
    WEIR_TRY(Setting now, cgroup::read_setting(*dir_, shape));
    held_.insert_or_assign(place_of(place), put_back_value(place_of(place), std::move(now)));
  }
  return {};
}

/// What the kernel is to hold of a limit that was taken back: what it holds, unless a runtime that was told
/// the limit before came late and wrote it once more. Then what undo had put back: the value under the chain
/// of changes.
Setting HeldLimits::put_back_value(const Place& where, Setting now) const {
  const Change* bottom = nullptr;
  bool is_late = false;
  for (const Change& change : history_.changes | std::views::reverse) {
    if (place(change) != where || change.phase != Phase::undone) continue;
    is_late = is_late || change.after == now || rounded(change.after, kWholePercents) == now.text;
    if (bottom == nullptr || change.after == bottom->before) bottom = &change;
  }
  return is_late ? bottom->before : now;
}

std::vector<SyncHold> HeldLimits::list() const {
  std::vector<SyncHold> holds;
  for (const auto& [place, value] : held_)
    holds.push_back({.value = value, .taken_back = newest(place) == nullptr});
  return holds;
}

Result<std::uint64_t> HeldLimits::keep(const std::string& run_dir) {
  if (dir_ == nullptr || held_.empty()) return 0;
  auto written = write_back(run_dir);
  if (!written && written.error().kind == ErrorKind::gone) return 0;
  return written;
}

Result<std::uint64_t> HeldLimits::write_back(const std::string& run_dir) {
  WEIR_TRY(Journal journal, Journal::open(run_dir, boot_id_));
  const CgroupId id = dir_->id();
  WEIR_CHECK(await_shrinks(journal, {&id, 1}, {}));
  WEIR_TRY(History history, journal.read());
  const auto in_force = chains(history.changes);
  std::uint64_t rewrites = 0;
  for (auto& [place, value] : held_) {
    if (const auto chain = in_force.find(place); chain != in_force.end()) value = chain->second.back()->after;
    WEIR_TRY(const Setting now, cgroup::read_setting(*dir_, value));
    if (now == value) continue;
    WEIR_CHECK(check_use(*dir_, value));
    WEIR_CHECK(cgroup::write_setting(*dir_, value));
    if (place.knob == cgroup::Knob::cpu_max) ++rewrites;
  }
  return rewrites;
}

}  // namespace weir::limits
