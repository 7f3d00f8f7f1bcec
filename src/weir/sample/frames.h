// SPDX-License-Identifier: MIT
#pragma once
// Frames: the host's frames, whoever reads them, and who came and went. The first process that may takes
// <run_dir>/sampler.lock, samples, and publishes on the board; all others attach to that. When the sampler
// ends, one of those takes over; while it is stopped, each samples for itself. Without the right to the lock
// (no root) and without a board that may be read, this process samples for itself alone. Comings and goings
// each process sees for itself (roster.h), so that none that lived between two frames is missed. One thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/cgroup/dir.h"
#include "weir/model/frame.h"
#include "weir/model/host_paths.h"
#include "weir/sample/board.h"
#include "weir/sample/roster.h"
#include "weir/sample/sampler.h"

namespace weir::sample {

enum class Role {
  samples,   ///< and publishes
  attached,  ///< to the one that samples
  alone,     ///< samples, and may not publish
};
std::string_view to_string(Role role);

struct FramesOptions {
  container::Include include = container::Include::containers_and_services;
  std::chrono::nanoseconds tick = std::chrono::seconds(1);  ///< everything
  /// fast_sources() in between; 0: not. An attached process gets what the sampler's own options say.
  std::chrono::nanoseconds fast_tick{0};
};

class Frames {
 public:
  /// `root`, `paths` and `clock` outlive it. Errors: the host cannot be read at all.
  static Result<Frames> open(cgroup::Dir& root, const HostPaths& paths, const Clock& clock,
                             FramesOptions options);

  /// When next() has to be called again, CLOCK_MONOTONIC, and a file descriptor (-1: none) that is readable
  /// when a container came or went before that.
  [[nodiscard]] std::chrono::nanoseconds again() const { return again_; }
  [[nodiscard]] int fd() const { return roster_.fd(); }

  /// A new frame, if one is due or was published; valid until the next call. Errors: failed (cannot sample
  /// any more).
  Result<const Frame*> next();
  /// Who came and went since the last call, in order.
  std::vector<RosterChange> take_changes() { return std::exchange(changes_, {}); }
  [[nodiscard]] Role role() const { return role_; }
  /// Files that could not be read in the last frame; 0 where attached.
  [[nodiscard]] std::uint32_t unreadable() const { return sampler_ ? sampler_->unreadable() : 0; }
  /// What was lost or is missing since the last call, for people.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  Frames(cgroup::Dir& root, const HostPaths& paths, const Clock& clock, FramesOptions options, Roster roster)
      : root_(root), paths_(paths), clock_(clock), options_(options), roster_(std::move(roster)) {}
  Result<void> take_role();
  Result<void> begin_sampling();
  const Frame* sample();
  Result<const Frame*> attach();
  Result<void> leave_silence();
  void update_roster();
  void take_in(const Subject& subject);

  cgroup::Dir& root_;
  const HostPaths& paths_;
  const Clock& clock_;
  FramesOptions options_;
  Role role_ = Role::alone;
  Fd lock_, run_dir_;
  std::optional<Board> board_;
  std::optional<BoardReader> reader_;
  std::optional<Sampler> sampler_;
  Roster roster_;
  std::optional<Frame> frame_;  ///< where attached: the last
  std::vector<RosterChange> changes_;
  std::vector<std::string> notes_;
  std::chrono::nanoseconds again_{0}, full_at_{0}, fast_at_{0}, heard_{0};
};

}  // namespace weir::sample
