// SPDX-License-Identifier: MIT
#pragma once
// Roster: which containers and services there are, kept up to date by events instead of by scanning: inotify
// tells of every cgroup that is made or removed where runtimes and systemd put theirs; only then the records
// of the runtimes are asked who it is, and again when Docker says that it renamed one. What lives below a
// container is its own business and is not watched. One thread.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"
#include "weir/container/inventory.h"
#include "weir/docker/client.h"
#include "weir/docker/renames.h"
#include "weir/model/frame.h"
#include "weir/model/host_paths.h"

namespace weir::sample {

struct RosterChange {
  enum class Kind { started, renamed, ended };
  Kind kind = Kind::started;
  /// Of one that ended before it could be looked at, only the path is known, and its id is 0.
  Subject subject;
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch, when it was noticed
};

class Roster {
 public:
  /// `root`, `paths` and `clock` outlive it. Errors: no inotify here (too many watches).
  static Result<Roster> open(cgroup::Dir& root, const HostPaths& paths, container::Include include,
                             const Clock& clock);

  /// What changed since the last call, in the order in which it happened; the first call tells all that is
  /// there. A container is told as started once and as ended once, whatever happened in between.
  std::vector<RosterChange> update();
  /// All that are there now, by cgroup path.
  [[nodiscard]] const std::map<std::string, Subject>& known() const { return known_; }
  /// Readable when there is something to tell; a new name waits for the next update().
  [[nodiscard]] int fd() const { return inotify_.get(); }
  /// Places that could not be watched (too many); what happens there is seen only at its next look.
  [[nodiscard]] std::size_t unwatched() const { return unwatched_; }

 private:
  using Kind = RosterChange::Kind;
  Roster(cgroup::Dir& root, const HostPaths& paths, container::Include include, const Clock& clock)
      : root_(root),
        paths_(paths),
        include_(include),
        clock_(clock),
        renames_(paths.host(docker::kDockerSocket), clock) {}

  void look_at_everything();
  void watch(const std::string& parent);
  void watch_ancestors(const std::string& path);
  void appear(const std::string& path);
  void vanish(const std::string& path);
  void ask_names_again();
  void start(Container container);
  void end(std::map<std::string, Subject>::iterator which);
  [[nodiscard]] bool is_place(const std::string& path) const;

  cgroup::Dir& root_;
  const HostPaths& paths_;
  container::Include include_;
  const Clock& clock_;
  std::string mount_;
  Fd inotify_;
  docker::Renames renames_;
  std::map<int, std::string> watched_;    ///< by watch descriptor: the path of a place
  std::map<std::string, int> places_;     ///< and the other way round
  std::map<std::string, Subject> known_;  ///< by cgroup path
  std::vector<RosterChange> changes_;
  std::size_t unwatched_ = 0;
  bool begun_ = false;
};

}  // namespace weir::sample
