// SPDX-License-Identifier: MIT
#pragma once
// Change: one knob of one cgroup that Weir set, from which value to which, by whom and why. It is what the
// journal keeps (one record for each phase a change goes through), what `set` and `undo` report, and what
// `changes` lists. Plain values, no I/O. Every string may hold hostile bytes: escape at the output.

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/refill.h"

namespace weir::limits {

/// How far a change got. After `intent` the process may have been killed: the kernel holds `before` or
/// `after`. After `done` it held `after`. The others are over: never took hold, taken back, or the cgroup
/// ended first.
enum class Phase { intent, done, failed, undone, gone };

std::string_view to_string(Phase phase);
std::optional<Phase> parse_phase(std::string_view text);

/// An epoch is one run of `weir set`; the index counts the knobs that it wrote. Epochs rise within one
/// journal.
struct ChangeId {
  std::uint64_t epoch = 0;
  std::uint32_t index = 0;
  auto operator<=>(const ChangeId&) const = default;
};

/// Who asked. The login uid survives su and sudo; SUDO_USER is only what the environment says.
struct Caller {
  std::uint32_t uid = 0;
  std::optional<std::uint32_t> login_uid;
  std::string sudo_user;
  bool operator==(const Caller&) const = default;
};

struct Change {
  ChangeId id;
  Phase phase = Phase::intent;
  std::chrono::nanoseconds time{0};  ///< when it was set, since the Unix epoch
  std::chrono::nanoseconds restore_at{
      0};  ///< when it is taken back by itself (--for), since the Unix epoch; 0: never
  Caller who;
  std::string reason;
  std::string target;  ///< as the user wrote it
  std::string name;    ///< the container that it stood for
  std::string cgroup;
  CgroupId cgroup_id;
  cgroup::Setting before, after;
  std::string note;              ///< why it failed, what was found at undo; mostly empty
  std::optional<Refill> refill;  ///< of a written cpu.max, where the cgroup counts periods
  bool operator==(const Change&) const = default;
};

/// Whether the kernel may still hold what this change wrote.
inline bool in_force(const Change& change) {
  return change.phase == Phase::intent || change.phase == Phase::done;
}

/// The place that changes of the same knob share: later ones stand on earlier ones.
struct Place {
  CgroupId cgroup;
  cgroup::Knob knob{};
  std::string device;
  auto operator<=>(const Place&) const = default;
};
inline Place place(const Change& change) {
  return {change.cgroup_id, change.after.knob, change.after.device};
}

/// Whether two settings are of one knob (and device), so that only one of them can hold.
inline bool same_place(const cgroup::Setting& a, const cgroup::Setting& b) {
  return a.knob == b.knob && a.device == b.device;
}

/// What became of one knob of one target in this run.
enum class Status { changed, unchanged, dry_run, refused, failed, gone, rolled_back };
std::string_view to_string(Status status);

/// The memory of a cgroup: all of it, and what of it no reclaim can take back.
struct Footprint {
  Bytes use, need;
};

/// A change (asked for or taken back) and its fate; `error` says why for refused, failed and gone.
struct Outcome {
  Change change;
  Status status = Status::failed;
  std::optional<Error> error;
  std::optional<Footprint> shrink =
      std::nullopt;  ///< a cut of memory that needs reclaim before it (shrink.h)
};

}  // namespace weir::limits
