// SPDX-License-Identifier: MIT
#include "weir/limits/shrink_plan.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "weir/limits/shrink_lock.h"
#include "weir/limits/shrink_run.h"

namespace weir::limits {
namespace {

using cgroup::Knob;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kLook = 100ms;

/// SIGURG ends a write that blocks: a signal that does nothing, but is not ignored. By default it is, so that
/// one that comes late does no harm.
class Waker {
 public:
  Waker() {
    struct sigaction nothing{};
    nothing.sa_handler = [](int) {};
    ::sigaction(SIGURG, &nothing, &before_);
  }
  ~Waker() { ::sigaction(SIGURG, &before_, nullptr); }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

 private:
  struct sigaction before_{};
};

enum class Stop { no, interrupted, other_failed };

std::optional<Error> reason(Stop stop) {
  switch (stop) {
    case Stop::no:
      return std::nullopt;
    case Stop::interrupted:
      return make_error(ErrorKind::failed, "", "interrupted while it was shrunk");
    case Stop::other_failed:
      return make_error(ErrorKind::failed, "", "another one could not be shrunk");
  }
  return std::nullopt;
}

/// What the thread and its caller share. Whoever lets go last frees it: the thread may be left behind.
struct Shared {
  ShrinkFiles files;
  std::shared_ptr<const ShrinkLock> lock;
  ShrinkJob job;
  std::function<nanoseconds()> now;
  std::function<void(nanoseconds)> pause;
  std::atomic<Stop> stop{Stop::no};
  std::atomic<std::uint64_t> use{0};
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<ShrinkResult> result;  ///< under mutex
};

void work(const std::shared_ptr<Shared>& shared) {
  ::pthread_setname_np(::pthread_self(), "weir-shrink");
  sigset_t others;
  ::sigfillset(&others);
  ::sigdelset(&others, SIGURG);
  ::pthread_sigmask(SIG_SETMASK, &others, nullptr);
  ShrinkResult result =
      run_shrink(shared->files, shared->job,
                 {.now = shared->now,
                  .pause = shared->pause,
                  .stop = [&] { return reason(shared->stop.load()); },
                  .seen = [&](const Footprint& memory) { shared->use.store(memory.use.count()); }});
  const std::scoped_lock lock(shared->mutex);
  shared->result = std::move(result);
  shared->ended.notify_all();
}

/// One container at work.
struct Worker {
  Write write;
  std::optional<Change> brake;
  std::shared_ptr<Shared> shared;
  std::thread thread;

  [[nodiscard]] Change& change() const { return write.step->outcome.change; }
  bool ended(std::chrono::milliseconds patience) const {
    std::unique_lock lock(shared->mutex);
    return shared->ended.wait_for(lock, patience, [this] { return shared->result.has_value(); });
  }
};

Result<Limit<Bytes>> read_limit(const cgroup::Dir& dir, std::string_view file) {
  WEIR_TRY(const std::string text, dir.read(file));
  return cgroup::parse_limit_bytes(text);
}

Result<Worker> prepare(const Write& write, const Patience& patience, std::uint32_t brake_index) {
  const cgroup::Dir& dir = *write.target->dir;
  const Change& change = write.step->outcome.change;
  const Knob knob = change.after.knob;
  auto files = ShrinkFiles::keep(dir);
  if (!files) {
    if (files.error().kind != ErrorKind::absent) return std::unexpected(std::move(files).error());
    return std::unexpected(
        std::move(files).error().with_hint("--force writes the limit without shrinking first"));
  }
  WEIR_TRY(const Limit<Bytes> high, read_limit(dir, "memory.high"));
  WEIR_TRY(const Limit<Bytes> max, read_limit(dir, "memory.max"));
  WEIR_TRY(const Limit<Bytes> wanted, cgroup::parse_limit_bytes(change.after.text));
  Worker worker{.write = write, .brake = {}, .shared = std::make_shared<Shared>(), .thread = {}};
  worker.shared->files = std::move(*files);
  worker.shared->job = {
      .goal = {.knob = knob, .limit = wanted.value(), .high_before = high, .budget = patience.budget},
      .max_before = max};
  worker.shared->now =
      patience.now ? patience.now : [] { return nanoseconds(steady_clock::now().time_since_epoch()); };
  worker.shared->pause =
      patience.pause ? patience.pause : [](nanoseconds span) { std::this_thread::sleep_for(span); };
  worker.shared->use = write.step->outcome.shrink->use.count();
  const Bytes brake = brake_of(knob, wanted.value());
  if (knob == Knob::memory_max && Limit(brake) < high) {
    worker.brake = change;
    worker.brake->id.index = brake_index;
    worker.brake->restore_at = nanoseconds(0);
    worker.brake->before = {.knob = Knob::memory_high,
                            .device = {},
                            .text = high.is_unlimited() ? "max" : fmt::to_string(high.value().count())};
    worker.brake->after = {.knob = Knob::memory_high, .device = {}, .text = fmt::to_string(brake.count())};
    worker.brake->note = "a brake, while memory.max was cut";
  }
  return worker;
}

/// Says what became of the step, and how it stands in the journal.
void settle(Outcome& outcome, std::optional<Error> error, std::optional<Error> stays) {
  Change& change = outcome.change;
  const bool gone = error && error->kind == ErrorKind::gone;
  change.phase = gone ? Phase::gone : !error || stays ? Phase::done : Phase::failed;
  outcome.status = gone ? Status::gone : error ? Status::failed : Status::changed;
  if (error) change.note = error->message();
  outcome.error = stays ? std::move(stays) : std::move(error);
}

class Crew {
 public:
  Crew(const Patience& patience, Journal& journal, const std::function<Result<void>(const Change&)>& note)
      : patience_(patience), journal_(journal), note_(note) {}

  /// Takes in what has to be shrunk just now. False when one cannot be.
  bool take(std::span<const Write> writes, Knob knob) {
    bool possible = true;
    for (const Write& write : writes) {
      Outcome& outcome = write.step->outcome;
      if (outcome.status != Status::dry_run || outcome.change.after.knob != knob || !outcome.shrink) continue;
      Outcome now = look(*write.target->dir, write.step->wanted, Force::no);
      outcome.change.before = std::move(now.change.before);
      outcome.shrink = now.shrink;
      outcome.status = now.status;
      outcome.error = std::move(now.error);
      if (now.status == Status::dry_run && now.shrink) {
        auto worker = prepare(write, patience_, static_cast<std::uint32_t>(writes.size() + workers_.size()));
        if (worker)
          workers_.push_back(std::move(*worker));
        else
          settle(outcome, std::move(worker).error(), {});
      }
      possible = possible && outcome.status != Status::refused && outcome.status != Status::failed;
    }
    return possible;
  }

  /// Nobody else may write there, and every intent is in the journal before the first write.
  bool begin() {
    std::vector<CgroupId> cgroups;
    for (const Worker& worker : workers_) cgroups.push_back(worker.change().cgroup_id);
    auto lock = ShrinkLock::take(journal_, cgroups);
    if (!lock) {
      for (const Worker& worker : workers_) settle(worker.write.step->outcome, lock.error(), {});
      return false;
    }
    const auto shared = std::make_shared<const ShrinkLock>(std::move(*lock));
    for (const Worker& worker : workers_) {
      worker.shared->lock = shared;
      auto noted = note_(worker.change());
      if (noted && worker.brake) noted = note_(*worker.brake);
      if (noted) continue;
      for (const Worker& each : workers_) end_unwritten(each);
      worker.write.step->outcome.status = Status::failed;
      worker.write.step->outcome.error =
          std::move(noted).error().context("nothing was changed, since it could not be journalled");
      return false;
    }
    return true;
  }

  /// False when one failed. Errors: the journal's.
  Result<bool> run() {
    const Waker waker;
    for (Worker& worker : workers_) {
      try {
        worker.thread = std::thread(work, worker.shared);
      } catch (const std::system_error& error) {
        worker.shared->result =
            ShrinkResult{.error = errno_error(error.code().value(), "", "start a thread")};
      }
    }
    if (!workers_.empty()) {
      journal_.unlock();
      wait();
      auto locked = journal_.lock();
      for (Worker& worker : workers_) finish(worker, locked.has_value());
      WEIR_CHECK(locked);
    }
    return std::ranges::none_of(
        workers_, [](const Worker& worker) { return worker.write.step->outcome.status == Status::failed; });
  }

 private:
  void wait() {
    const nanoseconds grace = patience_.budget / 10;
    steady_clock::time_point hurry_at = steady_clock::now() + patience_.budget - grace;
    const auto busy = [](const Worker& worker) { return !worker.ended(0ms); };
    for (auto first = workers_.begin(); first != workers_.end();
         first = std::ranges::find_if(workers_, busy)) {
      if (first->ended(kLook)) continue;
      if (patience_.progress) tell();
      const auto now = steady_clock::now();
      if (const Stop stop = why_stop(); stop != Stop::no) {
        for (const Worker& worker : workers_) worker.shared->stop = stop;
        hurry_at = std::min(hurry_at, now);
      }
      if (now < hurry_at) continue;
      if (now >= hurry_at + grace) return;
      for (Worker& worker : workers_)
        if (worker.thread.joinable() && busy(worker)) ::pthread_kill(worker.thread.native_handle(), SIGURG);
    }
  }

  void end_unwritten(const Worker& worker) {
    for (std::optional<Change> change : {std::optional(worker.change()), worker.brake}) {
      if (!change) continue;
      change->phase = Phase::failed;
      (void)note_(*change);  // undo finds the old value in force, whatever the journal says
    }
  }

  [[nodiscard]] Stop why_stop() const {
    if (patience_.interrupted && patience_.interrupted()) return Stop::interrupted;
    const bool failed = std::ranges::any_of(workers_, [](const Worker& worker) {
      const std::scoped_lock lock(worker.shared->mutex);
      const auto& result = worker.shared->result;
      return result && result->error && result->error->kind != ErrorKind::gone;
    });
    return failed ? Stop::other_failed : Stop::no;
  }

  void tell() const {
    std::vector<ShrinkView> views;
    for (const Worker& worker : workers_)
      views.push_back({.name = worker.change().name,
                       .use = Bytes(worker.shared->use.load()),
                       .limit = worker.shared->job.goal.limit});
    patience_.progress(views);
  }

  /// Without the journal the intents stay in it, and undo asks the kernel.
  void finish(Worker& worker, bool may_note) {
    Outcome& outcome = worker.write.step->outcome;
    if (!worker.ended(0ms)) {
      worker.thread.detach();
      outcome.status = Status::failed;
      outcome.error = make_error(ErrorKind::failed, "", "the kernel does not return from a write to it",
                                 "weir undo takes back what was written");
      return;  // what holds is not known: the intents stay
    }
    if (worker.thread.joinable()) worker.thread.join();
    ShrinkResult& result = *worker.shared->result;
    outcome.shrink->need = std::max(outcome.shrink->need, result.peak_need);
    const bool is_max = worker.change().after.knob == Knob::memory_max;
    settle(outcome, std::move(result.error),
           is_max ? std::move(result.max_stays) : std::move(result.high_stays));
    if (worker.brake) {
      worker.brake->phase = outcome.status == Status::gone ? Phase::gone
                            : result.high_stays            ? Phase::done
                                                           : Phase::undone;
      if (result.high_stays) {
        worker.brake->note = result.high_stays->message();
        outcome.status = Status::failed;
        outcome.error = std::move(result.high_stays);
      }
      if (may_note) (void)note_(*worker.brake);  // its intent is there: undo finds the old value back
    }
    if (may_note) (void)note_(outcome.change);
  }

  const Patience& patience_;
  Journal& journal_;
  const std::function<Result<void>(const Change&)>& note_;
  std::vector<Worker> workers_;
};

}  // namespace

Result<void> shrink_first(std::span<const Write> writes, const Patience& patience, Journal& journal,
                          const std::function<Result<void>(const Change&)>& note) {
  // memory.high second: it may be the brake of a memory.max of the same cgroup before.
  for (const Knob knob : {Knob::memory_max, Knob::memory_high}) {
    Crew crew(patience, journal, note);
    if (!crew.take(writes, knob) || !crew.begin()) return {};
    WEIR_TRY(const bool all, crew.run());
    if (!all) return {};
  }
  return {};
}

}  // namespace weir::limits
