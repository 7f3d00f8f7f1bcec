// SPDX-License-Identifier: MIT
#pragma once
// Regulator: limits that keep changing, written by one long-running process. A request never blocks and the
// last value wins; turn() writes what is due: urgent requests first, also those that come while a batch is
// being written, so that none waits behind more than one write; cpu.max at the container's own pace (pace.h),
// a value that the kernel holds already not at all. Every write is journalled before it is made, so that
// `undo` takes it back, also after a kill -9. Other writers get their turns: the journal is locked for a
// batch only. One thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/bpf/period_start.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/guard.h"
#include "weir/limits/journal.h"
#include "weir/limits/pace.h"
#include "weir/limits/plan.h"
#include "weir/limits/write_queue.h"
#include "weir/model/container.h"

namespace weir::limits {

struct RegulatorOptions {
  Caller who;
  std::string reason;
  Guarded guarded;
  std::size_t batch = 64;         ///< writes that are journalled together
  std::function<void()> between;  ///< called after each write, for ask() and touched() of what is urgent
  /// Begins and ends to tell, by touched() and before each turn(), of every write of others to a control
  /// file, known by its inode (bpf/knob_watch.h). Empty, or where it fails: a value is read before each
  /// write.
  std::function<Result<void>(std::uint64_t file)> watch = {};
  std::function<void(std::uint64_t file)> ignore = {};
  bpf::PeriodStart* starts = nullptr;  ///< null: period starts are found by looking
};

/// One request that was carried out, dropped because the kernel held it already, or refused.
struct Written {
  Outcome outcome;
  nanoseconds waited{0};     ///< since it was first asked for
  std::uint32_t merged = 0;  ///< earlier requests that it stands for
};

class Regulator {
 public:
  /// `root`, `clock` and options.starts outlive it.
  Regulator(const cgroup::Dir& root, Journal journal, const Clock& clock, RegulatorOptions options);

  /// Takes a container into care. Errors: gone, refused (guarded).
  Result<CgroupId> add(const Container& container);
  void remove(CgroupId cgroup);

  /// Asks for a value. Errors: invalid for a cgroup that is not in care; refused below what is in use
  /// (memory.high: by more than 256 MiB, or below what cannot be reclaimed), since a write that reclaims can
  /// block (shrink such a limit instead); absent where there is no such knob.
  Result<void> ask(CgroupId cgroup, const cgroup::Setting& setting, Urgency urgency = Urgency::normal);

  /// Takes back what was asked for of this place and is not written yet.
  void withdraw(CgroupId cgroup, const cgroup::Setting& setting);

  /// Someone else wrote to a control file, known by its inode.
  void touched(std::uint64_t file);
  /// Others may have written to any.
  void touched_all();
  /// One batch of what is due, and what became of it. Errors: the journal's; then nothing was written.
  Result<std::vector<Written>> turn();
  /// Waits until turn() has something to do, at most until `deadline` (CLOCK_MONOTONIC).
  void wait(nanoseconds deadline);

  /// The same for an event loop of one's own: when turn() has something to do, CLOCK_MONOTONIC, and a file
  /// descriptor (-1: none) that is readable when it has before that.
  [[nodiscard]] nanoseconds again() const { return again_; }
  [[nodiscard]] int fd() const { return options_.starts == nullptr ? -1 : options_.starts->fd(); }

  /// Whether an urgent write of its cpu.max now keeps what writes give away within its allowance.
  [[nodiscard]] bool covers_urgent(CgroupId cgroup);

  [[nodiscard]] std::size_t pending() const { return queue_.size(); }
  /// What the writes of a cpu.max granted beyond its limits so far, as far as it is known.
  [[nodiscard]] microseconds granted(CgroupId cgroup) const;

 private:
  struct Member;
  struct Knob {
    Place where;
    Member* member = nullptr;
    std::unique_ptr<cgroup::File> file;
    cgroup::Setting now;                       ///< as last read or written
    std::optional<cgroup::CpuMax> limit = {};  ///< the same, of a cpu.max
    std::uint64_t watched = 0;                 ///< inode; 0: writes of others are not seen
    bool known = false;                        ///< nobody has written since
    bool overtaken = false;                    ///< in this turn's batch, by an urgent request
    void holds(cgroup::Setting setting);
  };
  struct Member {
    Change draft;  ///< what all its changes share
    std::unique_ptr<cgroup::Dir> dir;
    std::optional<Pace> pace;  ///< where the cpu controller is on
    std::vector<std::unique_ptr<Knob>> knobs;
  };
  struct Due {
    Knob* knob = nullptr;
    PendingWrite pending;
    Written written;
    bool over = false;  ///< written, or nothing to write
  };
  using Queue = WriteQueue<Knob*>;

  Result<Knob*> open_knob(Member& member, const cgroup::Setting& setting);
  static Result<void> refresh(Knob& knob);
  static bool is_paced(const Due& due);
  void take_starts();
  std::vector<Due> gather();
  Result<void> journal(std::vector<Due>& batch);
  Result<void> carry_out(std::vector<Due> batch, std::vector<Written>& all);
  Result<void> write_all(std::vector<Due>& batch, std::vector<Written>& all);
  void put_back(std::vector<Due>& batch);
  void prepare(Due& due, nanoseconds time);
  void write(Due& due);
  static void book_burst(Member& member);

  const cgroup::Dir& root_;
  Journal journal_;
  const Clock& clock_;
  RegulatorOptions options_;
  std::map<CgroupId, Member> members_;
  std::map<bpf::PeriodStart::Slot, Member*> by_slot_;
  std::multimap<std::uint64_t, Knob*> by_file_;  ///< where writes are seen
  Queue queue_;
  std::uint64_t epoch_ = 0;
  std::uint32_t index_ = 0;
  nanoseconds again_{0};  ///< when a request that had to wait is looked at again
};

}  // namespace weir::limits
