// SPDX-License-Identifier: MIT
#pragma once
// What `weir set` and `weir apply` are asked for, from the words of the command line or from a plan: checked
// as far as that goes without asking the host.

#include <chrono>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/cgroup/knob.h"
#include "weir/cli/command.h"
#include "weir/container/target.h"

namespace weir::cli {

struct SetOptions {
  std::vector<std::string> words;
  std::string file;  ///< a plan; "-" is stdin
  std::string reason, lasts, budget = "30s";
  bool dry_run = false, force = false, timing = false;
  bool sync = false, no_sync = false, wait = false;
};

struct Asked {
  struct One {
    container::Target target;
    std::vector<cgroup::Setting> settings;
    std::string where;  ///< in the plan; "" for the command line
  };
  std::vector<One> targets;
  std::string reason;
  std::chrono::nanoseconds lasts{0};   ///< --for; 0: for good
  std::chrono::nanoseconds budget{0};  ///< for shrinking memory before a cut
  bool sync = false;                   ///< Docker and systemd are told as well
};

/// Errors: invalid, with the place in the plan; those of reading the plan's file.
Result<Asked> parse_asked(const Session& session, const SetOptions& options);

/// The error with its place in the plan in front.
Error at_place(const std::string& where, Error error);

}  // namespace weir::cli
