// SPDX-License-Identifier: MIT
#pragma once
// Action: what becomes of one limit, with all that it was decided by; how it is told, and how it is written.
// Plain values; pure.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/knob.h"
#include "weir/control/config.h"
#include "weir/model/event.h"
#include "weir/model/frame.h"
#include "weir/policy/decide.h"

namespace weir::control {

struct Moment {
  std::chrono::nanoseconds at{0};    ///< CLOCK_MONOTONIC
  std::chrono::nanoseconds time{0};  ///< since the Unix epoch
};

/// What a model said about a raise.
struct Suggested {
  MlMode mode = MlMode::shadow;  ///< shadow: it was only asked
  std::string model;             ///< its id
  double limit = 0;              ///< by the model, within all bounds
  double step_would = 0;         ///< without it
};

/// A limit that is to be written, or only told (no setting, no eases): `decision` made of `view`.
struct Action {
  Subject subject;
  policy::Resource resource = policy::Resource::cpu;
  std::string device;
  const Managed* managed = nullptr;  ///< of the configuration; never null
  policy::View view;
  policy::Decision decision;
  std::optional<cgroup::Setting> setting;
  std::vector<cgroup::Setting> eases =
      {};  ///< cpu.max.burst and cpu.weight: each to be written before `setting`
  std::optional<Suggested> suggestion = {};  ///< of a raise by a policy that asks a model
  std::string rival;    ///< who uses what it waits for, where that is the cause and known
  bool urgent = false;  ///< a raise of what is held back right now
};

/// What is told of an action: soft_limit_raised, …; with everything that it was decided by.
Event to_event(const Action& action, Moment moment);

/// ml_adjustment of an action with a suggestion.
Event to_ml_event(const Action& action, Moment moment);

/// The setting that makes a limit so: cpu.max with `period`, memory.high in whole pages, io.max of `device`.
cgroup::Setting to_setting(policy::Resource resource, double limit, std::string_view device,
                           std::chrono::microseconds period);
/// The limit that a setting makes; infinite where it is "max", nullopt where it says nothing of the resource.
std::optional<double> to_limit(policy::Resource resource, const cgroup::Setting& setting);

}  // namespace weir::control
