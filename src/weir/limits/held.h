// SPDX-License-Identifier: MIT
#pragma once
// HeldLimits: what the kernel holds of one cgroup while its runtimes are told something, and must hold again
// afterwards. Telling a runtime makes it write limits of its own: rounded ones, and old ones of what it does
// not know.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/history.h"
#include "weir/limits/sync_record.h"

namespace weir::limits {

class HeldLimits {
 public:
  /// `history` stays with the caller and outlives this.
  HeldLimits(const cgroup::Dir& root, const Subject& subject, History& history, std::string boot_id);

  /// Whether the cgroup is there, and the same.
  [[nodiscard]] bool alive() const { return dir_ != nullptr; }
  /// The newest change in force, or null.
  [[nodiscard]] const Change* newest(const SyncPlace& place) const { return newest(place_of(place)); }
  /// What the cgroup holds now; empty where it has ended.
  [[nodiscard]] std::vector<cgroup::Setting> settings() const;

  /// Takes note of every limit of Weir's in this cgroup that the kernel holds, and of those that were taken
  /// back. What someone else changed since is theirs. A cgroup that ends meanwhile is not alive any more.
  Result<void> hold(const SyncRecord& record);
  [[nodiscard]] bool holds(const SyncPlace& place) const { return held_.contains(place_of(place)); }
  /// What was taken note of, for the record: a kill before keep() loses nothing.
  [[nodiscard]] std::vector<SyncHold> list() const;

  /// Writes what is no more as it was noted, under the journal's lock: what was set meanwhile counts. Returns
  /// how often it wrote cpu.max. refused where that would cut below what is in use.
  Result<std::uint64_t> keep(const std::string& run_dir);

 private:
  [[nodiscard]] Place place_of(const SyncPlace& place) const {
    return {.cgroup = id_, .knob = place.knob, .device = place.device};
  }
  [[nodiscard]] const Change* newest(const Place& place) const;
  [[nodiscard]] cgroup::Setting put_back_value(const Place& where, cgroup::Setting now) const;
  Result<void> note(const SyncRecord& record);
  Result<std::uint64_t> write_back(const std::string& run_dir);

  History& history_;
  std::string boot_id_;
  CgroupId id_;
  std::unique_ptr<cgroup::Dir> dir_;
  std::map<Place, std::vector<Change*>> chains_;
  std::map<Place, cgroup::Setting> held_;
};

}  // namespace weir::limits
