// SPDX-License-Identifier: MIT
#pragma once
// Watch: holds limits against drift. Another program's write is seen by BPF as it happens (with who made it),
// else by reading again; then a limit that is only watched yields to it and is told, one that is held by a
// rule is written again, through the Regulator. A change that Weir itself made (set, undo) is no drift: the
// newer order counts. Neither prints nor waits: the owner does. One thread.

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "weir/bpf/knob_watch.h"
#include "weir/cgroup/dir.h"
#include "weir/limits/regulator.h"
#include "weir/model/container.h"
#include "weir/model/host_paths.h"

namespace weir::limits {

/// Who wrote, as far as it is known.
struct Writer {
  std::uint32_t pid = 0;  ///< 0: not seen
  std::uint32_t uid = 0;
  std::string comm;    ///< hostile bytes
  std::string cgroup;  ///< of the writer; "" where unknown
};

/// The reason in the journal of what a Watch writes.
inline constexpr std::string_view kGuardReason = "held by weir guard";

struct WatchEvent {
  enum class Kind {
    taken_up,   ///< is looked after from now on
    yielded,    ///< someone else changed it, and that stays
    reapplied,  ///< someone else changed it (by), and the rule's value was written again
    gave_up,    ///< someone changes it again and again: it is left to them
    adopted,    ///< changed by Weir: that is what is watched or held now
    released,   ///< taken back by Weir: no longer looked after
    not_held,   ///< the rule's value cannot be written now (error); it is tried again
    ended,      ///< the container ended
  };
  Kind kind = Kind::taken_up;
  nanoseconds time{0};  ///< since the Unix epoch
  Container container;
  cgroup::Setting wanted, found;
  std::optional<Writer> by;
  std::optional<Error> error;
  std::optional<nanoseconds> after;  ///< reapplied: from the other's write (where seen) to ours
};
std::string_view to_string(WatchEvent::Kind kind);

class Watch {
 public:
  /// All outlive it; `knobs` may be null (no BPF here: only check_all() finds drift).
  struct Sources {
    const cgroup::Dir& root;
    const HostPaths& paths;
    const Clock& clock;
    Regulator& regulator;
    bpf::KnobWatch* knobs = nullptr;
    std::string boot_id;
  };
  explicit Watch(Sources sources) : sources_(std::move(sources)) {}

  /// Holds the settings on the container, from now on and whoever changes them. A container that is known is
  /// passed over.
  void hold(const Container& container, const std::vector<cgroup::Setting>& settings);
  /// Looks after every change that is in force by the journal.
  Result<void> watch_journal();

  /// Looks at what BPF saw since the last call.
  void take_writes();
  /// Reads everything again.
  void check_all();
  /// Writes what is due.
  Result<void> turn();
  /// Hands out what happened since the last call.
  std::vector<WatchEvent> take_events() { return std::exchange(events_, {}); }
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  using Kind = WatchEvent::Kind;
  struct Looked {
    Container container;
    std::unique_ptr<cgroup::Dir> dir;
    cgroup::Setting wanted;
    std::uint64_t file = 0;  ///< inode
    bool held = false;       ///< by a rule
    bool in_care = false;    ///< of the regulator
    bool told = false;       ///< not_held was said
    std::optional<Writer> by;
    nanoseconds by_at{0};
    std::deque<nanoseconds> reapplied;  ///< lately
    std::optional<nanoseconds> differs_since;
    std::optional<std::pair<ChangeId, Phase>> known;  ///< the newest record: older ones are no orders
  };
  bool look_after(const Container& container, std::unique_ptr<cgroup::Dir> dir, const cgroup::Setting& wanted,
                  bool held);
  void check(Looked& looked);
  /// The journal's last record of that place.
  [[nodiscard]] std::optional<Change> last(const Looked& looked) const;
  /// What Weir's own journal says of a value that is not the wanted one; true: it was ours.
  bool ours(Looked& looked, const cgroup::Setting& now);
  void reapply(Looked& looked, const cgroup::Setting& now);
  void say(Kind kind, const Looked& looked, const cgroup::Setting& found, std::optional<Error> error = {});
  void forget(const Place& where);

  Sources sources_;
  std::map<Place, Looked> places_;
  std::multimap<std::uint64_t, Place> by_file_;
  std::vector<Place> over_;  ///< to be forgotten
  std::set<Place> left_;     ///< held once, and left to others
  std::vector<WatchEvent> events_;
};

}  // namespace weir::limits
