// SPDX-License-Identifier: MIT
#include "weir/limits/regulator.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "weir/base/text.h"
#include "weir/limits/footprint.h"
#include "weir/limits/shrink_lock.h"

namespace weir::limits {
namespace {

constexpr nanoseconds kNever = nanoseconds::max();

/// What a write of memory.high may reclaim itself: some 15 ms (59 ms a GiB of clean page cache).
constexpr std::uint64_t kReclaims = std::uint64_t{256} << 20U;

/// Whether a cut reclaims so much that the write could block for long, or would kill.
bool may_block(const Footprint& cut, const cgroup::Setting& setting) {
  const auto limit = parse_u64(setting.text);
  return setting.knob != cgroup::Knob::memory_high || !limit || cut.use.count() > *limit + kReclaims;
}

Status status_of(const Error& error) { return error.kind == ErrorKind::gone ? Status::gone : Status::failed; }

/// cpu.weight changes with cpu.idle and with cpu.weight.nice, too.
bool only_its_file_says(cgroup::Knob knob) {
  return knob != cgroup::Knob::cpu_weight && knob != cgroup::Knob::cpu_idle;
}

}  // namespace

Regulator::Regulator(const cgroup::Dir& root, Journal journal, const Clock& clock, RegulatorOptions options)
    : root_(root), journal_(std::move(journal)), clock_(clock), options_(std::move(options)) {
  journal_.unlock();
}

void Regulator::Knob::holds(cgroup::Setting setting) {
  now = std::move(setting);
  known = watched != 0;
  limit.reset();
  if (now.knob != cgroup::Knob::cpu_max) return;
  if (const auto parsed = cgroup::parse_cpu_max(now.text)) limit = *parsed;
}

Result<CgroupId> Regulator::add(const Container& container) {
  WEIR_TRY(std::unique_ptr<cgroup::Dir> dir, open_target(root_, container, options_.guarded, Force::no));
  const CgroupId id = dir->id();
  Member member{.draft = {}, .dir = std::move(dir), .pace = {}, .knobs = {}};
  member.draft.who = options_.who;
  member.draft.reason = options_.reason;
  member.draft.target = member.draft.name = container.name;
  member.draft.cgroup = container.cgroup;
  member.draft.cgroup_id = id;
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
  for (const auto& knob : found->second.knobs) {
    queue_.take(knob.get());
    if (knob->watched == 0) continue;
    by_file_.erase(knob->watched);
    if (options_.ignore) options_.ignore(knob->watched);
  }
  members_.erase(found);
}

Result<Regulator::Knob*> Regulator::open_knob(Member& member, const cgroup::Setting& setting) {
  for (const auto& knob : member.knobs)
    if (same_place(knob->now, setting)) return knob.get();
  WEIR_TRY(std::unique_ptr<cgroup::File> file,
           member.dir->keep(cgroup::info(setting.knob).file, cgroup::Access::read_write));
  auto knob = std::make_unique<Knob>();
  if (options_.watch && only_its_file_says(setting.knob)) {
    WEIR_TRY(const std::uint64_t inode, member.dir->file_id(cgroup::info(setting.knob).file));
    if (by_file_.contains(inode) || options_.watch(inode)) knob->watched = inode;  // before it is read
  }
  WEIR_TRY(cgroup::Setting now, cgroup::read_setting(*member.dir, setting));
  knob->where = {member.dir->id(), setting.knob, setting.device};
  knob->member = &member;
  knob->file = std::move(file);
  knob->holds(std::move(now));
  if (knob->watched != 0) by_file_.emplace(knob->watched, knob.get());
  return member.knobs.emplace_back(std::move(knob)).get();
}

Result<void> Regulator::ask(CgroupId cgroup, const cgroup::Setting& setting, Urgency urgency) {
  const auto member = members_.find(cgroup);
  if (member == members_.end())
    return std::unexpected(make_error(ErrorKind::invalid, "", "is no container that is looked after"));
  WEIR_TRY(Knob* const knob, open_knob(member->second, setting));
  const cgroup::Setting whole = cgroup::complete(setting, knob->now);
  if (limits_memory(whole.knob)) {
    WEIR_TRY(const auto cut, check_memory_cut(*member->second.dir, knob->now, whole));
    if (cut && may_block(*cut, whole))
      return std::unexpected(make_error(ErrorKind::refused, cgroup::info(whole.knob).file,
                                        fmt::format("{} in use stands in the way", format_bytes(cut->use)),
                                        "weir set shrinks it first"));
  } else {
    WEIR_CHECK(check_use(*member->second.dir, whole));
  }
  queue_.ask(knob, whole.text, urgency, clock_.monotonic());
  again_ = nanoseconds(0);
  return {};
}

void Regulator::withdraw(CgroupId cgroup, const cgroup::Setting& setting) {
  const auto member = members_.find(cgroup);
  if (member == members_.end()) return;
  for (const auto& knob : member->second.knobs)
    if (same_place(knob->now, setting)) queue_.take(knob.get());
}

void Regulator::touched(std::uint64_t file) {
  const auto [begin, end] = by_file_.equal_range(file);
  for (auto each = begin; each != end; ++each) each->second->known = false;
}

void Regulator::touched_all() {
  for (const auto& [file, knob] : by_file_) knob->known = false;
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

/// Whether the write waits for the container's period.
bool Regulator::is_paced(const Due& due) {
  return due.knob->where.knob == cgroup::Knob::cpu_max && due.knob->member->pace &&
         due.pending.urgency != Urgency::urgent;
}

/// What is due, at most a batch; urgent ones alone.
std::vector<Regulator::Due> Regulator::gather() {
  std::vector<Due> batch;
  batch.reserve(std::min(options_.batch, queue_.size()));
  again_ = kNever;
  queue_.sift(
      [&](const Knob* knob, const PendingWrite& pending) {
        if (batch.size() == options_.batch ||
            (!batch.empty() && batch.back().pending.urgency < pending.urgency)) {
          again_ = nanoseconds(0);  // more at once
          return Queue::Verdict::stop;
        }
        if (pending.urgency == Urgency::urgent || !knob->limit || !knob->member->pace)
          return Queue::Verdict::take;
        const Pace::Moment moment = knob->member->pace->see(*knob->limit, pending.since);
        if (moment.now) return Queue::Verdict::take;
        again_ = std::min(again_, moment.again);
        return Queue::Verdict::leave;
      },
      [&](Knob* knob, PendingWrite pending) {
        Due& due = batch.emplace_back();
        due.knob = knob;
        due.pending = std::move(pending);
      });
  return batch;
}

/// Reads what the kernel holds now; mostly what it held before, and then there is nothing to take apart.
Result<void> Regulator::refresh(Knob& knob) {
  if (knob.known) return {};
  WEIR_TRY(const std::string text, knob.file->read());
  knob.known = knob.watched != 0;
  if (knob.now.device.empty() && trim(text) == knob.now.text) return {};
  WEIR_TRY(cgroup::Setting now, cgroup::parse_setting_of(text, knob.now));
  knob.holds(std::move(now));
  return {};
}

/// Reads what the kernel holds and completes the change. Over where there is nothing to write.
void Regulator::prepare(Due& due, nanoseconds time) {
  Knob& knob = *due.knob;
  Outcome& outcome = due.written.outcome;
  Change& change = outcome.change;
  change = knob.member->draft;
  change.time = time;
  change.after = {knob.where.knob, knob.where.device, due.pending.text};
  due.written.merged = due.pending.merged;
  auto read = refresh(knob);
  if (read && limits_memory(knob.where.knob) && is_shrinking(journal_, knob.where.cgroup))
    read = std::unexpected(make_error(ErrorKind::refused, cgroup::info(knob.where.knob).file,
                                      "another weir is shrinking its memory", "ask again later"));
  change.before = knob.now;
  due.over = !read || change.before == change.after;
  if (due.over) {
    outcome.status = read ? Status::unchanged : status_of(read.error());
    if (!read) outcome.error = std::move(read).error();
    due.written.waited = clock_.monotonic() - due.pending.since;
  } else if (is_paced(due) && knob.limit) {
    change.refill = knob.member->pace->book(*knob.limit);
  }
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
    if (due.over) continue;
    Change& change = due.written.outcome.change;
    change.id = {.epoch = epoch_, .index = index_++};
    intents.push_back(&change);
  }
  return intents.empty() ? Result<void>() : journal_.append(intents);
}

void Regulator::write(Due& due) {
  Knob& knob = *due.knob;
  Outcome& outcome = due.written.outcome;
  Change& change = outcome.change;
  auto done = knob.file->write(change.after.to_write());
  due.written.waited = clock_.monotonic() - due.pending.since;
  due.over = true;
  if (done) {
    change.phase = Phase::done;
    outcome.status = Status::changed;
    const auto before = knob.limit;
    knob.holds(change.after);
    if (before && knob.limit && knob.member->pace && due.pending.urgency == Urgency::urgent)
      change.refill = knob.member->pace->book_urgent(*before, *knob.limit);
    if (knob.where.knob == cgroup::Knob::cpu_max_burst) book_burst(*knob.member);
    return;
  }
  knob.known = false;
  change.phase = done.error().kind == ErrorKind::gone ? Phase::gone : Phase::failed;
  change.note = done.error().message();
  outcome.status = status_of(done.error());
  outcome.error = std::move(done).error();
}

/// The kernel fills the quota at a write of the burst as at one of the limit.
void Regulator::book_burst(Member& member) {
  const auto max = std::ranges::find(member.knobs, cgroup::Knob::cpu_max,
                                     [](const std::unique_ptr<Knob>& knob) { return knob->where.knob; });
  if (member.pace && max != member.knobs.end() && (*max)->limit)
    (void)member.pace->book_urgent(*(*max)->limit, *(*max)->limit);
}

/// Those that were not written are asked for again.
void Regulator::put_back(std::vector<Due>& batch) {
  for (Due& due : batch)
    if (!due.over) queue_.put_back(due.knob, std::move(due.pending));
  again_ = nanoseconds(0);
}

/// Writes what is journalled; what becomes urgent meanwhile goes first.
Result<void> Regulator::write_all(std::vector<Due>& batch, std::vector<Written>& all) {
  for (Due& due : batch) {
    if (!due.over) {
      const bool urgent = due.pending.urgency == Urgency::urgent;
      if (!urgent && due.knob->overtaken) {
        due.over = true;
        continue;
      }
      due.knob->overtaken = urgent;
      write(due);
      // A change that was written needs no second record: undo asks the kernel which value it holds.
      if (due.written.outcome.error) (void)journal_.append(due.written.outcome.change);
    }
    all.push_back(std::move(due.written));
    if (due.pending.urgency == Urgency::urgent) continue;
    if (options_.between) options_.between();
    if (queue_.urgent_waits()) WEIR_CHECK(carry_out(gather(), all));
  }
  return {};
}

/// Journals the batch, then writes it. The journal is locked.
Result<void> Regulator::carry_out(std::vector<Due> batch, std::vector<Written>& all) {
  const nanoseconds time = clock_.realtime();
  for (Due& due : batch) prepare(due, time);
  auto done = journal(batch);
  if (done) {
    all.reserve(all.size() + batch.size());
    done = write_all(batch, all);
  }
  if (!done) put_back(batch);
  return done;
}

Result<std::vector<Written>> Regulator::turn() {
  std::vector<Written> all;
  take_starts();
  std::vector<Due> batch = gather();
  if (batch.empty()) return all;
  for (const Due& due : batch) due.knob->overtaken = false;
  auto done = journal_.lock();
  if (!done) {
    put_back(batch);
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

bool Regulator::covers_urgent(CgroupId cgroup) {
  const auto member = members_.find(cgroup);
  if (member == members_.end() || !member->second.pace) return true;
  const auto& knobs = member->second.knobs;
  const auto cpu_max =
      std::ranges::find(knobs, cgroup::Knob::cpu_max, [](const auto& knob) { return knob->where.knob; });
  return cpu_max == knobs.end() || !(*cpu_max)->limit ||
         member->second.pace->covers_urgent(*(*cpu_max)->limit);
}

microseconds Regulator::granted(CgroupId cgroup) const {
  const auto member = members_.find(cgroup);
  return member == members_.end() || !member->second.pace ? microseconds(0) : member->second.pace->granted();
}

}  // namespace weir::limits
