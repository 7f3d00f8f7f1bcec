// SPDX-License-Identifier: MIT
// `weir sync`: tells Docker and systemd what is still to be told. `set --sync` starts it; a person runs it
// again after a failure.
#include "weir/cli/sync.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <thread>
#include <utility>

#include "weir/base/clock.h"
#include "weir/base/escape.h"
#include "weir/base/text.h"
#include "weir/cli/later.h"
#include "weir/cli/sync_json.h"
#include "weir/limits/caller.h"

namespace weir::cli {
namespace {

using limits::SyncRecord;
using limits::SyncState;
using std::chrono::seconds;

struct Options {
  std::string patience;
  std::uint64_t after_us = 0;  ///< the detached process's sleep
};

std::string who(const limits::Subject& subject) {
  if (subject.id.empty()) return "systemd";
  return subject.unit.empty() ? "docker" : "docker and systemd";
}

bool has_failed(const limits::Settled& settled) {
  return any_failed(settled.told) || any_failed(settled.taken_back);
}

/// The settled records, tried again for as long as the patience lasts while a runtime does not answer.
Result<limits::Settled> settle_patiently(const Session& session, std::chrono::nanoseconds patience) {
  WEIR_TRY(const std::unique_ptr<cgroup::Dir> root, cgroup::open_root(session.paths.cgroup_root));
  const auto end = std::chrono::steady_clock::now() + patience;
  for (seconds pause(1);; pause = std::min(pause * 2, seconds(30))) {
    WEIR_TRY(limits::Settled settled, settle_once(session, *root, limits::EarlierBoots::leave));
    if (!has_failed(settled) || std::chrono::steady_clock::now() + pause > end) return settled;
    std::this_thread::sleep_for(pause);
  }
}

Result<int> sync(const Session& session, const Options& options) {
  std::chrono::nanoseconds patience{0};
  if (!options.patience.empty()) {
    WEIR_TRY(patience, parse_duration(options.patience));
  }
  std::this_thread::sleep_for(std::chrono::microseconds(options.after_us));
  WEIR_TRY(const limits::Settled settled, settle_patiently(session, patience));
  if (settled.damaged > 0) warn(session, fmt::format("{} damaged records were passed over", settled.damaged));
  if (session.json) {
    Json records = Json::array();
    for (const auto* each : {&settled.told, &settled.taken_back})
      for (const SyncRecord& record : *each) records.push_back(sync_json(record));
    fmt::print(session.terminal.out, "{}\n", dump_json({{"schema", 1}, {"sync", std::move(records)}}));
  } else {
    if (settled.told.empty() && settled.taken_back.empty())
      fmt::print(session.terminal.out, "docker and systemd know all that they were to be told\n");
    print_syncs(session, settled.told, What::limits);
    print_syncs(session, settled.taken_back, What::old_values);
  }
  return has_failed(settled) ? kFailed : kDone;
}

}  // namespace

Json sync_json(const SyncRecord& record) {
  Json knobs = Json::array();
  for (const limits::SyncPlace& place : record.places) {
    Json knob = {{"knob", std::string(cgroup::info(place.knob).file)}};
    if (!place.device.empty()) knob["device"] = place.device;
    knob["value"] = place.asks.empty() ? Json() : Json(place.asks.back().value);
    knob["told"] = place.told;
    knobs.push_back(std::move(knob));
  }
  return {{"name", record.subject.name},
          {"container", record.subject.id},
          {"unit", record.subject.unit},
          {"cgroup", record.subject.cgroup},
          {"state", std::string(to_string(record.state))},
          {"why", record.why},
          {"hint", record.hint},
          {"notes", record.notes},
          {"tries", record.tries},
          {"rewrites", record.rewrites},
          {"time_ns", record.time.count()},
          {"knobs", std::move(knobs)}};
}

Audience audience(const limits::Request& request, const std::vector<limits::Outcome>& outcomes,
                  limits::History history, const std::string& boot_id) {
  Audience found;
  const auto chains = limits::chains(history.changes);
  for (const limits::Wanted& wanted : request.targets) {
    const auto known = std::ranges::find(found.untold, wanted.container.cgroup,
                                         [](const limits::SyncRequest& each) { return each.subject.cgroup; });
    if (known != found.untold.end()) continue;
    std::vector<limits::Change> changes;
    for (const limits::Outcome& outcome : outcomes) {
      if (outcome.change.cgroup != wanted.container.cgroup) continue;
      if (outcome.status == limits::Status::changed) changes.push_back(outcome.change);
      if (outcome.status != limits::Status::unchanged) continue;
      // It holds the value already: by us, perhaps, and its runtime was never told.
      const auto chain = chains.find(limits::place(outcome.change));
      if (chain != chains.end() && chain->second.back()->after == outcome.change.after)
        changes.push_back(*chain->second.back());
    }
    if (changes.empty()) continue;
    auto subject = limits::subject_of(wanted.container, changes.front().cgroup_id, boot_id);
    if (subject)
      found.untold.push_back({.subject = std::move(*subject), .changes = std::move(changes)});
    else
      found.nobody.push_back(wanted.container.name);
  }
  return found;
}

std::string would_undo(const limits::Subject& subject) {
  return subject.id.empty() ? fmt::format("a later systemctl set-property of {}", subject.unit)
                            : fmt::format("a later docker update of {}", subject.name);
}

Result<std::vector<SyncRecord>> tell_runtimes(const Session& session, const cgroup::Dir& root,
                                              const Audience& audience, Wait wait) {
  const SystemClock clock;
  std::vector<SyncRecord> records;
  if (audience.untold.empty()) return records;
  // Only a quota that is not in whole percents makes a difference between systemds.
  const bool is_rounded = std::ranges::any_of(audience.untold, [](const limits::SyncRequest& one) {
    return std::ranges::any_of(one.changes, [](const limits::Change& change) {
      return limits::rounded(change.after, limits::kWholePercents).has_value();
    });
  });
  const std::uint64_t quota_step =
      is_rounded ? limits::Runtimes(session.paths).quota_step() : limits::kWholePercents;
  {
    WEIR_TRY(const limits::SyncStore store, limits::SyncStore::open(session.paths.state_dir));
    for (const limits::SyncRequest& one : audience.untold) {
      WEIR_TRY(SyncRecord record, limits::ask_sync(store, one, quota_step, clock));
      records.push_back(std::move(record));
    }
  }
  if (wait == Wait::no) {
    const limits::Change& first = audience.untold.front().changes.front();
    const auto now = clock.realtime().count();
    WEIR_CHECK(run_weir_later(session.paths, fmt::format("weir-sync-{}-{}", first.id.epoch, now),
                              {"sync", "--patience", "5m"}, std::chrono::nanoseconds(0)));
    return records;
  }
  WEIR_TRY(limits::Settled settled, settle_once(session, root, limits::EarlierBoots::leave));
  std::vector<SyncRecord> now = std::move(settled.told);
  std::ranges::move(settled.taken_back, std::back_inserter(now));
  std::erase_if(now, [&](const SyncRecord& record) {
    return std::ranges::none_of(
        audience.untold, [&](const limits::SyncRequest& one) { return one.subject == record.subject; });
  });
  return now;
}

Result<limits::Settled> settle_once(const Session& session, const cgroup::Dir& root,
                                    limits::EarlierBoots earlier) {
  const SystemClock clock;
  WEIR_TRY(const limits::SyncRecords known, limits::read_syncs(session.paths.state_dir));
  if (known.records.empty()) return limits::Settled{.damaged = known.damaged};
  WEIR_TRY(std::string boot_id, limits::read_boot_id(session.paths));
  WEIR_TRY(const limits::SyncStore store, limits::SyncStore::open(session.paths.state_dir));
  return limits::settle(store, {.paths = session.paths,
                                .root = root,
                                .clock = clock,
                                .boot_id = std::move(boot_id),
                                .earlier = earlier});
}

bool any_failed(const std::vector<SyncRecord>& records) {
  return std::ranges::any_of(records,
                             [](const SyncRecord& record) { return record.state == SyncState::failed; });
}

void print_syncs(const Session& session, const std::vector<SyncRecord>& records, What what) {
  for (const SyncRecord& record : records) {
    const std::string name = terminal_safe(record.subject.name);
    if (record.state == SyncState::failed) {
      fmt::print(session.terminal.err, "weir: {}: {} could not be told: {}\n", name, who(record.subject),
                 terminal_safe(record.why));
      fmt::print(session.terminal.err, "  {}\n",
                 record.hint.empty() ? "weir sync tries again" : terminal_safe(record.hint));
      continue;
    }
    const std::string_view verb = record.state != SyncState::agreed ? "will be told (see weir status)"
                                  : what == What::limits            ? "told as well"
                                                                    : "told the old value again";
    fmt::print(session.terminal.out, "{}: {} {}\n", name, who(record.subject), verb);
    for (const std::string& note : record.notes)
      fmt::print(session.terminal.out, "  {}\n", terminal_safe(note));
  }
}

void add_sync(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("sync", "Tell Docker and systemd what set --sync could not tell them yet");
  command->footer(
      "weir set --sync starts it by itself; weir status shows what is still to be told, and why.\n"
      "Examples:\n"
      "  weir sync\n"
      "  weir sync --patience 2m    tries again while docker does not answer");
  const auto options = std::make_shared<Options>();
  command->add_option("--patience", options->patience, "Try again for this long")->type_name("TIME");
  command->add_option("--after-us", options->after_us)->group("");
  command->callback([&session, options] {
    session.action = [&session, options] { return report(session, sync(session, *options)); };
  });
}

}  // namespace weir::cli
