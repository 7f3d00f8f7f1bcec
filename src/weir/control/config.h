// SPDX-License-Identifier: MIT
#pragma once
// Config: whose limits move, between which bounds, by which policy (config/containers.yml). Parsing asks the
// host for nothing; nothing is taken from a file that is wrong anywhere.
//
//   version: 1
//   on_exit: restore                # or keep; what becomes of the limits when control ends
//   host:
//     reserve: {cpus: 0.5, memory: 512M}
//   defaults:                       # for every container below
//     policy: step
//   containers:
//     web:
//       priority: 10
//       cpu: {soft: 0.5, hard: 2, floor: 0.2, step: 0.25, cooldown: 1s}
//       memory: {soft: 128M, hard: 512M, policy: pressure, parameters: {target: 0.1}}
//     /demo/batch:
//       create: true
//       pids: [4242]
//       io: {device: 8:0, write: {soft: 4M, hard: 64M}}
//   ml:
//     model_path: models/soft_limit.json
//     mode: shadow                  # or canary, active
//   outputs:
//     log: logs/events.jsonl
//     samples: logs/training_samples.jsonl

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/container/target.h"
#include "weir/policy/policies.h"
#include "weir/policy/view.h"

namespace weir::control {

struct Managed {
  policy::Resource resource = policy::Resource::cpu;
  std::string device;  ///< of io: "8:0"
  policy::Bounds bounds;
  const policy::Policy* policy = nullptr;  ///< never null in a Config
  policy::Parameters parameters;           ///< as many as the policy has
  bool operator==(const Managed&) const = default;
};

struct Entry {
  container::Target target;
  std::string where;      ///< "containers.yml:4:3"
  bool create = false;    ///< a cgroup path that is not there is made
  std::vector<Pid> pids;  ///< put into it
  int priority = 0;       ///< 0..100: who gets what is left of the host first
  std::vector<Managed> resources;
};

enum class OnExit : std::uint8_t { restore, keep };
enum class MlMode : std::uint8_t { shadow, canary, active };
/// "shadow", …
std::string_view to_string(MlMode mode);

struct Config {
  std::vector<Entry> entries;
  OnExit on_exit = OnExit::restore;
  double reserve_cpus = 0;
  Bytes reserve_memory;
  std::string model_path;  ///< empty: none
  MlMode ml_mode = MlMode::shadow;
  double canary_share = 0.1;
  std::string log;      ///< empty: that of weir watch
  std::string samples;  ///< empty: none
};

/// `name` stands before line and column in what is said. Errors: invalid, with file:line:column; an unknown
/// key, policy or parameter names the nearest.
Result<Config> parse_config(std::string_view text, std::string_view name);

}  // namespace weir::control
