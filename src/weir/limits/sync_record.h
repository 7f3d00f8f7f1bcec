// SPDX-License-Identifier: MIT
#pragma once
// SyncRecord: what a runtime was told about one container or unit, and what it said before. Kept durably
// (fsync) in <state_dir>/sync, one file for each, written before the runtime is told anything: a runtime's
// configuration survives a reboot, so the way back must as well. A file is replaced as a whole, so that a
// kill leaves the old or the new one.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/sync.h"

namespace weir::limits {

/// Whom it is about. At least one of id and unit is there.
struct Subject {
  std::string id;    ///< of a Docker container, 64 hex digits; "" otherwise
  std::string unit;  ///< the systemd unit whose cgroup it is; "" where there is none
  std::string name;  ///< for people
  std::string cgroup;
  CgroupId cgroup_id;
  std::string boot;  ///< in which cgroup, cgroup_id and the unit's runtime properties are true
  bool operator==(const Subject&) const = default;
};

/// One `weir set --sync` of one knob.
struct SyncAsk {
  std::uint64_t epoch = 0;
  std::chrono::nanoseconds time{0};  ///< of the change in the journal: the two together name it
  std::string boot;                  ///< whose journal that is
  std::string value;
  bool operator==(const SyncAsk&) const = default;
};

struct SyncPlace {
  cgroup::Knob knob = cgroup::Knob::cpu_max;
  std::string device;
  std::vector<SyncAsk> asks;  ///< oldest first; empty: the runtime is to be told its old value again
  std::string told;           ///< the value that the runtimes were told last; "" before the first time
  bool noted = false;         ///< whether `before` is known; nothing is told while it is not
  Values engine_before, unit_before;  ///< before Weir told anything
  bool operator==(const SyncPlace&) const = default;
};

enum class SyncState { pending, agreed, failed };
std::string_view to_string(SyncState state);

/// What the kernel held while a runtime was being told, and must hold again afterwards.
struct SyncHold {
  cgroup::Setting value;
  bool taken_back = false;  ///< it is what undo put back; else a limit in force
  bool operator==(const SyncHold&) const = default;
};

struct SyncRecord {
  Subject subject;
  std::vector<SyncPlace> places;
  SyncState state = SyncState::pending;
  std::vector<SyncHold> holds;     ///< only while runtimes are being told
  std::string why, hint;           ///< of a failure
  std::vector<std::string> notes;  ///< what the runtimes could only round
  std::uint64_t tries = 0;         ///< in vain, since the last success
  std::uint64_t rewrites =
      0;  ///< writes of cpu.max that telling caused so far, an upper bound; each refills the quota
  std::chrono::nanoseconds time{0};  ///< of the last change of this record, since the Unix epoch
  bool operator==(const SyncRecord&) const = default;
};

std::string encode_sync(const SyncRecord& record);
/// Untrusted text. invalid for what is no such record, or names a file of another's.
Result<SyncRecord> decode_sync(std::string_view text);

/// The record's file, "docker-<id>.json" or "unit-<unit>.json"; invalid for a subject that cannot have one.
Result<std::string> sync_file(const Subject& subject);

struct SyncRecords {
  std::vector<SyncRecord> records;
  std::size_t damaged = 0;  ///< files that hold no record
};

/// The records open for changing: one process per state_dir at a time.
class SyncStore {
 public:
  /// Makes the directory. refused where others can write it; failed when another weir holds the lock longer
  /// than `patience`.
  static Result<SyncStore> open(const std::string& state_dir,
                                std::chrono::milliseconds patience = std::chrono::seconds(60));
  [[nodiscard]] Result<SyncRecords> read() const;
  /// Durable once it returns.
  [[nodiscard]] Result<void> save(const SyncRecord& record) const;
  [[nodiscard]] Result<void> remove(const SyncRecord& record) const;

 private:
  SyncStore(Fd directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}
  void clean() const;  ///< what a killed save left
  Fd directory_;       ///< holds the lock
  std::string path_;
};

/// The records without the lock; none where there is no directory. refused where others could have written
/// them.
Result<SyncRecords> read_syncs(const std::string& state_dir);

}  // namespace weir::limits
