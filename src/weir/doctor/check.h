// SPDX-License-Identifier: MIT
#pragma once
// Check: one thing that Weir can use on a host, whether it is there, and what it costs where it is not. Every
// check is tried on the host and never fails: trouble is an answer. One table lists them all (checks.cpp).

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/model/host_paths.h"

namespace weir::doctor {

enum class Status { yes, partial, no };
std::string_view to_string(Status status);

enum class Theme { kernel, cgroup, bpf, pressure, perf, resctrl, runtimes, privileges };
std::string_view title(Theme theme);

/// The answer of one check. `cost` and `fix` are empty for yes.
struct Finding {
  Status status = Status::no;
  std::string why;   ///< what was found
  std::string cost;  ///< what does not work without it
  std::string fix;   ///< how to get it
};
inline Finding yes(std::string why) { return {Status::yes, std::move(why), {}, {}}; }
inline Finding partial(std::string why, std::string_view cost, std::string_view fix) {
  return {Status::partial, std::move(why), std::string(cost), std::string(fix)};
}
inline Finding no(std::string why, std::string_view cost, std::string_view fix) {
  return {Status::no, std::move(why), std::string(cost), std::string(fix)};
}
/// "no" for an error; where it was refused to someone who is not root, it says that nobody could look.
Finding no(const Error& error, std::string_view cost, std::string_view fix);

enum class Need {
  main_job,  ///< without it Weir cannot do its main job here: hold containers to limits
  feature,
};

struct CheckEntry {
  std::string_view name;  ///< stable: scripts ask for it
  Theme theme;
  Need need;
  Finding (*look)(const HostPaths& paths);
};
std::span<const CheckEntry> checks();

struct Check {
  std::string_view name;
  Theme theme = Theme::kernel;
  Need need = Need::feature;
  Finding finding;
};
/// Looks at everything, in the order of the table. A second or two: runtimes are asked for their versions.
std::vector<Check> examine(const HostPaths& paths);

/// Whether the main job can be done.
bool usable(std::span<const Check> examined);
/// "Weir can do 31 of 33 things here. Not: perf hardware counters, resctrl."
std::string headline(std::span<const Check> examined);

}  // namespace weir::doctor
