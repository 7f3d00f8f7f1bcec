// SPDX-License-Identifier: MIT
#pragma once
// Restore: arranges that a command of ours runs later, whatever happens to this process: as a systemd
// transient timer, and where there is no systemd as a detached process that sleeps until then.

#include <chrono>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace weir::limits {

struct RestoreLater {
  std::string name;               ///< of the timer unit, without its suffix
  std::vector<std::string> argv;  ///< the program by its absolute path
  std::chrono::microseconds after{0};
};

enum class Keeper { systemd_timer, guardian };

/// Who will run it. Errors: when neither way works, and then nothing is left behind.
Result<Keeper> run_later(const RestoreLater& later, const HostPaths& paths);

/// The detached process: outlives this one, its terminal and its session. It sleeps inside the program itself
/// (argv gets "--after-us N" added), so that nothing of this process is kept.
Result<void> start_guardian(const RestoreLater& later);

/// The absolute path of this very program; failed where it was deleted or replaced meanwhile.
Result<std::string> own_program(const HostPaths& paths);

}  // namespace weir::limits
