// SPDX-License-Identifier: MIT
#include "weir/limits/regulator.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "weir/base/text.h"
#include "weir/limits/footprint.h"

namespace weir::limits {
namespace {

constexpr nanoseconds kNever = nanoseconds::max();

Status status_of(const Error& error) { return error.kind == ErrorKind::gone ? Status::gone : Status::failed; }

/// Whether a write waits for the container's period.
bool is_paced(const Place& where, Urgency urgency) {
  return where.knob == cgroup::Knob::cpu_max && urgency != Urgency::urgent;
}

}  // namespace

Regulator::Regulator(const cgroup::Dir& root, Journal journal, const Clock& clock, RegulatorOptions options)
    : root_(root), journal_(std::move(journal)), clock_(clock), options_(std::move(options)) {
  journal_.unlock();
}

Result<CgroupId> Regulator::add(const Container& container) {
  WEIR_TRY(std::unique_ptr<cgroup::Dir> dir, open_target(root_, container, options_.guarded, Force::no));
  const CgroupId id = dir->id();
  Member member{.container = container, .dir = std::move(dir), .pace = {}, .knobs = {}};
  if (auto pace = Pace::open(*member.dir, options_.starts, clock_)) member.pace.emplace(std::move(*pace));
  remove(id);
  Member& kept = members_.emplace(id, std::move(member)).first->second;
  if (kept.pace && kept.pace->slot()) by_slot_[*kept.pace->slot()] = &kept;
  return id;
}

void Regulator::remove(CgroupId cgroup) {
  const auto found = members_.find(cgroup);
  if (found == members_.end()) return;
  if (found->second.pace && found->second.pace->slot()) by_slot_.erase(*found->second.pace->slot());
  for (const auto& [where, knob] : found->second.knobs) queue_.take(where);
  members_.erase(found);
}

Result<Regulator::Knob*> Regulator::open_knob(Member& member, const cgroup::Setting& setting) {
  const Place where{member.dir->id(), setting.knob, setting.device};
  const auto found = member.knobs.find(where);
  if (found != member.knobs.end()) return &found->second;
  WEIR_TRY(std::unique_ptr<cgroup::File> file,
           member.dir->keep(cgroup::info(setting.knob).file, cgroup::Access::read_write));
  WEIR_TRY(cgroup::Setting now, cgroup::read_setting(*member.dir, setting));
  Knob knob{.file = std::move(file), .now = std::move(now)};
  return &member.knobs.emplace(where, std::move(knob)).first->second;
}

Result<void> Regulator::ask(CgroupId cgroup, const cgroup::Setting& setting, Urgency urgency) {
  const auto member = members_.find(cgroup);
  if (member == members_.end())
    return std::unexpected(make_error(ErrorKind::invalid, "", "is no container that is looked after"));
  WEIR_TRY(Knob* const knob, open_knob(member->second, setting));
  const cgroup::Setting whole = cgroup::complete(setting, knob->now);
  if (limits_memory(whole.knob)) {
    WEIR_TRY(const auto cut, check_memory_cut(*member->second.dir, knob->now, whole));
    if (cut)
      return std::unexpected(make_error(ErrorKind::refused, cgroup::info(whole.knob).file,
                                        fmt::format("{} in use stands in the way", format_bytes(cut->use)),
                                        "weir set shrinks it first"));
  } else {
    WEIR_CHECK(check_use(*member->second.dir, whole));
  }
  queue_.ask({cgroup, whole.knob, whole.device}, whole.text, urgency, clock_.monotonic());
  again_ = nanoseconds(0);
  return {};
}

void Regulator::take_starts() {
  if (options_.starts == nullptr) return;
  std::vector<bpf::PeriodStart::Start> starts;
  options_.starts->drain(starts);
  for (const auto& start : starts) {
    const auto member = by_slot_.find(start.slot);
    if (member != by_slot_.end()) member->second->pace->began();
  }
}

/// What is due, at most a batch; urgent ones alone.
std::vector<Regulator::Due> Regulator::gather() {
  std::vector<Due> batch;
  again_ = kNever;
  queue_.each([&](const Place& where, const PendingWrite& pending) {
    if (batch.size() == options_.batch ||
        (!batch.empty() && batch.back().pending.urgency < pending.urgency)) {
      again_ = nanoseconds(0);  // more at once
      return false;
    }
    Member& member = members_.at(where.cgroup);
    if (is_paced(where, pending.urgency) && member.pace) {
      const auto limit = cgroup::parse_cpu_max(member.knobs.at(where).now.text);
      const Pace::Moment moment = limit ? member.pace->see(*limit, pending.since) : Pace::Moment{.now = true};
      if (!moment.now) {
        again_ = std::min(again_, moment.again);
        return true;
      }
    }
    batch.push_back({.where = where,
                     .member = &member,
                     .knob = &member.knobs.at(where),
                     .pending = pending,
                     .change = {}});
    return true;
  });
  for (const Due& due : batch) queue_.take(due.where);
  return batch;
}

/// Reads what the kernel holds now; mostly what it held before, and then there is nothing to take apart.
Result<void> Regulator::refresh(Knob& knob) {
  WEIR_TRY(const std::string text, knob.file->read());
  if (knob.now.device.empty() && trim(text) == knob.now.text) return {};
  WEIR_TRY(knob.now, cgroup::parse_setting_of(text, knob.now));
  return {};
}

/// Reads what the kernel holds and completes the change; an outcome where there is nothing to write.
std::optional<Written> Regulator::prepare(Due& due) {
  Change& change = due.change;
  change.time = clock_.realtime();
  change.who = options_.who;
  change.reason = options_.reason;
  change.target = change.name = due.member->container.name;
  change.cgroup = due.member->container.cgroup;
  change.cgroup_id = due.where.cgroup;
  change.after = {due.where.knob, due.where.device, due.pending.text};
  const auto over = [&](Status status, std::optional<Error> error) {
    return Written{.outcome = {.change = std::move(change), .status = status, .error = std::move(error)},
                   .waited = clock_.monotonic() - due.pending.since,
                   .merged = due.pending.merged};
  };
  if (auto read = refresh(*due.knob); !read) {
    const Status status = status_of(read.error());
    return over(status, std::move(read).error());
  }
  change.before = due.knob->now;
  if (change.before == change.after) return over(Status::unchanged, {});
  if (due.member->pace && is_paced(due.where, due.pending.urgency)) {
    if (const auto before = cgroup::parse_cpu_max(change.before.text))
      change.refill = due.member->pace->book(*before);
  }
  return std::nullopt;
}

Result<void> Regulator::journal(std::vector<Due>& batch) {
  // Someone else's epoch came in between: what comes now stands on theirs.
  if (epoch_ == 0 || journal_.next_epoch() > epoch_ + 1 ||
      index_ > std::numeric_limits<std::uint32_t>::max() / 2) {
    epoch_ = journal_.next_epoch();
    index_ = 0;
  }
  std::vector<const Change*> intents;
  intents.reserve(batch.size());
  for (Due& due : batch) {
    due.change.id = {.epoch = epoch_, .index = index_++};
    intents.push_back(&due.change);
  }
  return journal_.append(intents);
}

Written Regulator::write(Due& due) {
  Written written{.outcome = {.change = std::move(due.change), .status = Status::changed, .error = {}},
                  .waited = {},
                  .merged = due.pending.merged};
  Change& change = written.outcome.change;
  auto done = due.knob->file->write(change.after.to_write());
  written.waited = clock_.monotonic() - due.pending.since;
  if (done) {
    change.phase = Phase::done;
    due.knob->now = change.after;
    if (due.where.knob == cgroup::Knob::cpu_max && due.member->pace &&
        !is_paced(due.where, due.pending.urgency)) {
      const auto before = cgroup::parse_cpu_max(change.before.text);
      const auto after = cgroup::parse_cpu_max(change.after.text);
      if (before && after) change.refill = due.member->pace->book_urgent(*before, *after);
    }
    return written;
  }
  change.phase = done.error().kind == ErrorKind::gone ? Phase::gone : Phase::failed;
  change.note = done.error().message();
  written.outcome.status = status_of(done.error());
  written.outcome.error = std::move(done).error();
  return written;
}

bool Regulator::urgent_waits() const {
  bool waits = false;
  queue_.each([&](const Place&, const PendingWrite& pending) {
    waits = pending.urgency == Urgency::urgent;
    return false;
  });
  return waits;
}

/// Nothing of it was written.
void Regulator::ask_again(const std::vector<Due>& batch) {
  for (const Due& due : batch)
    queue_.ask(due.where, due.pending.text, due.pending.urgency, due.pending.since);
}

/// Journals the batch, then writes it; what becomes urgent meanwhile goes first. The journal is locked.
Result<void> Regulator::carry_out(std::vector<Due> batch, std::vector<Written>& all) {
  std::erase_if(batch, [&](Due& due) {
    auto over = prepare(due);
    if (over) all.push_back(std::move(*over));
    return over.has_value();
  });
  if (batch.empty()) return {};
  if (auto noted = journal(batch); !noted) {
    ask_again(batch);
    return noted;
  }
  all.reserve(all.size() + batch.size());
  for (Due& due : batch) {
    if (due.pending.urgency != Urgency::urgent && overtaken_.contains(due.where)) continue;
    if (due.pending.urgency == Urgency::urgent) overtaken_.insert(due.where);
    all.push_back(write(due));
    // A change that was written needs no second record: undo asks the kernel which value it holds.
    if (all.back().outcome.error) (void)journal_.append(all.back().outcome.change);
    if (due.pending.urgency == Urgency::urgent) continue;
    if (options_.between) options_.between();
    if (!urgent_waits()) continue;
    if (auto done = carry_out(gather(), all); !done) return done;
  }
  return {};
}

Result<std::vector<Written>> Regulator::turn() {
  std::vector<Written> all;
  take_starts();
  std::vector<Due> batch = gather();
  if (batch.empty()) return all;
  overtaken_.clear();
  auto done = journal_.lock();
  if (!done) {
    ask_again(batch);
    return std::unexpected(std::move(done).error());
  }
  done = carry_out(std::move(batch), all);
  journal_.unlock();
  if (!done && all.empty()) return std::unexpected(std::move(done).error());
  return all;
}

void Regulator::wait(nanoseconds deadline) {
  const nanoseconds left = std::min(deadline, again_) - clock_.monotonic();
  if (left <= nanoseconds(0)) return;
  struct pollfd poll{.fd = fd(), .events = POLLIN, .revents = 0};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const struct timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  ::ppoll(&poll, 1, &time, nullptr);
}

microseconds Regulator::granted(CgroupId cgroup) const {
  const auto member = members_.find(cgroup);
  return member == members_.end() || !member->second.pace ? microseconds(0) : member->second.pace->granted();
}

}  // namespace weir::limits
