// SPDX-License-Identifier: MIT
#pragma once
// Rungs: which sources of events this host has beside slow reading, found out by trying each on a cgroup of
// our own that is driven into its limits: does it tell, and when. One that does not is not used.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/bpf/onset.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/psi_trigger.h"

namespace weir::events {

/// What may be used.
struct Wanted {
  bool bpf = true;
  bool poll = true;  ///< PSI triggers, notifications of memory.events
};

struct Rung {
  std::string what;  ///< "throttling"
  std::string by;    ///< "BPF (fexit throttle_cfs_rq)"
  std::optional<std::chrono::nanoseconds> told_after;
};

struct Rungs {
  std::optional<bpf::Onset> onset;
  std::optional<cgroup::PsiWindow> window;
  bool notices = false;
  std::vector<Rung> rungs;  ///< that are used, for people
  std::string why_none;     ///< where they could not be tried
};

/// Takes half a second; up to six where only triggers of 2 s are allowed. `root` outlives the call.
Rungs find_rungs(cgroup::Dir& root, const Clock& clock, Wanted wanted);

}  // namespace weir::events
