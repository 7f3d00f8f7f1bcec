// SPDX-License-Identifier: MIT
#include "weir/limits/settle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "weir/docker/containers.h"
#include "weir/limits/held.h"
#include "weir/limits/journal.h"

namespace weir::limits {
namespace {

using cgroup::Setting;

constexpr std::size_t kMostAsks = 64;

Setting setting_of(const SyncPlace& place, std::string text) {
  return {.knob = place.knob, .device = place.device, .text = std::move(text)};
}

/// One record from what it is to what it should be.
class Settler {
 public:
  Settler(const SyncStore& store, const SettleOrder& order, History& history, Runtimes& runtimes,
          SyncRecord& record)
      : store_(store),
        order_(order),
        history_(history),
        runtimes_(runtimes),
        record_(record),
        kernel_(order.root, record.subject, history, order.boot_id) {}

  /// Whether anything is to be told, after the asks that are over have been dropped.
  bool has_work() {
    for (SyncPlace& place : record_.places) drop_over(place);
    std::erase_if(record_.places, [](const SyncPlace& place) { return place.asks.empty() && !place.noted; });
    return record_.state != SyncState::agreed || record_.places.empty() ||
           std::ranges::any_of(record_.places, [&](const SyncPlace& place) {
             return place.asks.empty() || value_of(place) != place.told;
           });
  }

  [[nodiscard]] bool takes_back() const {
    return std::ranges::any_of(record_.places, [](const SyncPlace& place) { return place.asks.empty(); });
  }

  /// Carries it out. The record is saved as it is then, with the error where there was one; it is removed
  /// when nothing is left to remember.
  Result<void> run() {
    auto done = record_.places.empty() ? Result<void>() : carry_out();
    if (nobody_is_left_) {
      record_.places.clear();
      done = {};
    }
    if (done) {
      record_.state = SyncState::agreed;
      record_.why.clear();
      record_.hint.clear();
      record_.tries = 0;
    } else {
      const Error& error = done.error();
      record_.state = SyncState::failed;
      record_.why = error.message();
      record_.hint = error.hint;
      ++record_.tries;
    }
    record_.time = order_.clock.realtime();
    if (record_.places.empty()) return store_.remove(record_);
    return store_.save(record_);
  }

 private:
  /// Forgets the asks whose change the journal knows to be over. One that the journal knows nothing of is
  /// kept, unless it was merged with one that is over (the journal joins the oldest steps of a long chain).
  void drop_over(SyncPlace& place) const {
    const auto find = [&](const SyncAsk& ask) {
      return std::ranges::find_if(history_.changes, [&](const Change& change) {
        return ask.boot == order_.boot_id && change.id.epoch == ask.epoch && change.time == ask.time &&
               change.after.knob == place.knob && change.after.device == place.device &&
               change.cgroup == record_.subject.cgroup;
      });
    };
    const auto dropped = std::erase_if(place.asks, [&](const SyncAsk& ask) {
      const auto change = find(ask);
      return change != history_.changes.end() && !in_force(*change);
    });
    if (dropped > 0 && kernel_.newest(place) == nullptr)
      std::erase_if(place.asks, [&](const SyncAsk& ask) { return ask.boot == order_.boot_id; });
    // The cgroup ended before its runtime knew: there is nothing to tell any more.
    if (!kernel_.alive())
      std::erase_if(place.asks,
                    [&](const SyncAsk& ask) { return place.told.empty() || ask.value != place.told; });
  }

  /// What the runtimes are to hold: the newest value in force.
  [[nodiscard]] std::string value_of(const SyncPlace& place) const {
    if (place.asks.empty()) return {};
    const Change* change = kernel_.alive() ? kernel_.newest(place) : nullptr;
    return change != nullptr ? change->after.text : place.asks.back().value;
  }

  Result<void> carry_out() {
    WEIR_CHECK(kernel_.hold(record_));
    const auto foreign = check_foreign();
    std::vector<Setting> all, wanted;
    for (const SyncPlace& place : record_.places) {
      all.push_back(setting_of(place, value_of(place)));
      if (is_wanted(place)) wanted.push_back(all.back());
    }
    auto heard = runtimes_.listen(record_.subject, all);
    nobody_is_left_ = !heard && heard.error().kind == ErrorKind::gone;
    WEIR_TRY(Listeners listeners, heard);
    note_before(all, listeners);
    record_.state = SyncState::pending;
    record_.time = order_.clock.realtime();
    record_.holds = kernel_.list();
    WEIR_CHECK(store_.save(record_));

    const Telling telling = make_telling(wanted, listeners);
    record_.notes = telling.notes;
    auto told = runtimes_.tell(record_.subject, all, telling, listeners);
    if (told) record_.rewrites += *told;
    // Also when telling failed halfway.
    record_.holds.clear();  // only a kill leaves them for the next one
    auto kept = kernel_.keep(order_.paths.run_dir);
    if (kept) record_.rewrites += *kept;
    WEIR_CHECK(kept);
    WEIR_CHECK(told);
    WEIR_CHECK(compare(telling, listeners));
    for (SyncPlace& place : record_.places)
      if (is_wanted(place)) place.told = value_of(place);
    std::erase_if(record_.places, [](const SyncPlace& place) { return place.asks.empty(); });
    return foreign;
  }

  void note_before(const std::vector<Setting>& all, const Listeners& listeners) {
    for (std::size_t n = 0; n < all.size(); ++n) {
      SyncPlace& place = record_.places[n];
      if (place.noted) continue;
      for (const std::string& name : engine_names(all[n], listeners))
        if (listeners.engine)
          place.engine_before[name] = first_said(&SyncPlace::engine_before, name, listeners.engine_says);
      for (const std::string& name : unit_names(all[n], listeners))
        if (listeners.unit)
          place.unit_before[name] = first_said(&SyncPlace::unit_before, name, listeners.unit_says);
      place.noted = true;
    }
  }

  /// Two knobs may share a name (Memory and MemorySwap): then what it said before the first of them.
  [[nodiscard]] std::string first_said(Values SyncPlace::* before, const std::string& name,
                                       const Values& says) const {
    for (const SyncPlace& place : record_.places) {
      if (const auto known = (place.*before).find(name); place.noted && known != (place.*before).end())
        return known->second;
    }
    const auto said = says.find(name);
    return said == says.end() ? std::string(kInfinity) : said->second;
  }

  [[nodiscard]] Telling make_telling(const std::vector<Setting>& wanted, const Listeners& listeners) const {
    Telling telling;
    Values engine_before, unit_before;
    for (const SyncPlace& place : record_.places) {
      if (!place.asks.empty()) continue;
      engine_before.insert(place.engine_before.begin(), place.engine_before.end());
      unit_before.insert(place.unit_before.begin(), place.unit_before.end());
    }
    telling = translate_back(engine_before, unit_before, listeners);
    Telling forth = translate(wanted, kernel_.settings(), listeners);
    for (const auto& [name, value] : forth.engine) telling.engine.insert_or_assign(name, value);
    for (const auto& [name, value] : forth.unit) telling.unit.insert_or_assign(name, value);
    std::ranges::move(forth.notes, std::back_inserter(telling.notes));
    if (!listeners.unit) telling.unit.clear();
    if (!listeners.engine) telling.engine.clear();
    return telling;
  }

  static Result<void> compare(const Telling& telling, const Listeners& after) {
    for (const auto& [who, found] :
         {std::pair("docker", differences(telling.engine, after.engine_says)),
          std::pair("systemd", differences(after.unit ? telling.unit : Values(), after.unit_says))})
      if (!found.empty())
        return std::unexpected(
            make_error(ErrorKind::failed, who, fmt::format("was told, but {}", found.front())));
    return {};
  }

  /// Whether the runtimes are to be told this place's limit now.
  [[nodiscard]] bool is_wanted(const SyncPlace& place) const {
    return !place.asks.empty() &&
           (!kernel_.alive() || kernel_.newest(place) == nullptr || kernel_.holds(place));
  }

  /// A limit that is to be told for the first time, and that someone else changed before.
  [[nodiscard]] Result<void> check_foreign() const {
    for (const SyncPlace& place : record_.places) {
      const Change* change = kernel_.newest(place);
      if (!place.asks.empty() && change != nullptr && !is_wanted(place) && place.told != change->after.text)
        return std::unexpected(
            make_error(ErrorKind::refused, "",
                       fmt::format("someone else changed {} before the runtime could be told",
                                   cgroup::info(place.knob).file),
                       "look at it (weir changes), and set it again: weir set --sync"));
    }
    return {};
  }

  const SyncStore& store_;
  const SettleOrder& order_;
  const History& history_;
  Runtimes& runtimes_;
  SyncRecord& record_;
  HeldLimits kernel_;
  bool nobody_is_left_ = false;  ///< who could be told
};

/// Drops the asks of earlier boots that undo takes back.
void take_back_earlier(std::vector<SyncRecord>& records, const SettleOrder& order) {
  if (order.earlier == EarlierBoots::leave) return;
  const bool all = order.earlier == EarlierBoots::take_back_all;
  std::chrono::nanoseconds last{0};
  for (const SyncRecord& record : records)
    for (const SyncPlace& place : record.places)
      for (const SyncAsk& ask : place.asks)
        if (ask.boot != order.boot_id) last = std::max(last, ask.time);
  for (SyncRecord& record : records)
    for (SyncPlace& place : record.places)
      std::erase_if(place.asks, [&](const SyncAsk& ask) {
        return ask.boot != order.boot_id && (all || ask.time == last);
      });
}

}  // namespace

Result<Subject> subject_of(const Container& container, CgroupId cgroup_id, const std::string& boot_id) {
  constexpr std::array<std::string_view, 5> kTypes = {".scope", ".service", ".slice", ".socket", ".mount"};
  const std::string unit = container.cgroup.substr(container.cgroup.rfind('/') + 1);
  const bool is_unit =
      std::ranges::any_of(kTypes, [&](std::string_view type) { return unit.ends_with(type); });
  Subject subject{
      .id = container.runtime == Runtime::docker && docker::is_full_id(container.id) ? container.id : "",
      .unit = is_unit ? unit : "",
      .name = container.name,
      .cgroup = container.cgroup,
      .cgroup_id = cgroup_id,
      .boot = boot_id};
  if (subject.id.empty() && subject.unit.empty())
    return std::unexpected(make_error(ErrorKind::invalid, container.name,
                                      "is neither Docker's nor a unit of systemd's: nobody has to be told"));
  WEIR_CHECK(sync_file(subject));
  return subject;
}

Result<SyncRecord> ask_sync(const SyncStore& store, const SyncRequest& request, std::uint64_t quota_step,
                            const Clock& clock) {
  const Subject& subject = request.subject;
  WEIR_TRY(SyncRecords known, store.read());
  WEIR_TRY(const std::string file, sync_file(subject));
  SyncRecord record;
  for (SyncRecord& each : known.records)
    if (sync_file(each.subject) == file) record = std::move(each);
  // Runtime properties end with their boot, and so does what they were before.
  if (subject.id.empty() && record.subject.boot != subject.boot) record = {};
  record.subject = subject;
  for (const Change& change : request.changes) {
    auto place = std::ranges::find_if(record.places, [&](const SyncPlace& each) {
      return each.knob == change.after.knob && each.device == change.after.device;
    });
    if (place == record.places.end())
      place = record.places.insert(place, {.knob = change.after.knob, .device = change.after.device});
    if (place->asks.size() >= kMostAsks) place->asks.erase(place->asks.begin() + 1);
    place->asks.push_back(
        {.epoch = change.id.epoch, .time = change.time, .boot = subject.boot, .value = change.after.text});
  }
  record.notes.clear();
  for (const Change& change : request.changes)
    if (const auto kept = rounded(change.after, quota_step); kept && !subject.unit.empty())
      record.notes.push_back(rounding_note(*kept, quota_step));
  record.state = SyncState::pending;
  record.time = clock.realtime();
  record.tries = 0;
  WEIR_CHECK(store.save(record));
  return record;
}

Result<Settled> settle(const SyncStore& store, const SettleOrder& order) {
  WEIR_TRY(SyncRecords known, store.read());
  Settled settled{.told = {}, .taken_back = {}, .damaged = known.damaged};
  if (known.records.empty()) return settled;
  WEIR_TRY(History history, read_history(order.paths.run_dir, order.boot_id));
  take_back_earlier(known.records, order);
  Runtimes runtimes(order.paths);
  for (SyncRecord& record : known.records) {
    if (record.subject.id.empty() && record.subject.boot != order.boot_id) {
      WEIR_CHECK(store.remove(record));
      continue;
    }
    Settler settler(store, order, history, runtimes, record);
    if (!settler.has_work()) continue;
    const bool takes_back = settler.takes_back();
    WEIR_CHECK(settler.run());
    (takes_back ? settled.taken_back : settled.told).push_back(record);
  }
  return settled;
}

Result<std::vector<std::string>> disagreements(Runtimes& runtimes, const Subject& subject,
                                               const std::vector<Setting>& settings, const cgroup::Dir& dir) {
  WEIR_TRY(const Listeners listeners, runtimes.listen(subject, settings));
  const auto kernel = cgroup::read_settings(dir).value_or(std::vector<Setting>());
  const Telling telling = translate(settings, kernel, listeners);
  std::vector<std::string> found;
  if (listeners.engine)
    for (const std::string& each : differences(telling.engine, listeners.engine_says))
      found.push_back("docker: " + each);
  if (listeners.unit)
    for (const std::string& each : differences(telling.unit, listeners.unit_says))
      found.push_back("systemd: " + each);
  return found;
}

}  // namespace weir::limits
