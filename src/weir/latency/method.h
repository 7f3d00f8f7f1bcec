// SPDX-License-Identifier: MIT
#pragma once
// Method: the six ways to change a limit that are raced against each other, the knobs that are raced, the
// stages that are timed, and which combinations exist. Pure tables; who writes is writer.h.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weir/bpf/limit_write.h"
#include "weir/cgroup/knob.h"

namespace weir::latency {

enum class Method { docker_cli, docker_api, runc, systemd, open_write_close, pwrite };
enum class Stage { call, write_entry, handler_done, first_effect };
/// first_effect is another thing for a cut (the first throttle, the first reclaim) than for a raise (runs
/// again).
enum class Direction { any, cut, raise };
/// direct: a system call of ours. slow: another program or daemon does it.
enum class Speed { direct, slow };

struct MethodInfo {
  Method method;
  std::string_view name;   ///< "docker_cli"
  std::string_view title;  ///< for people: "docker update"
  Speed speed;
};
std::span<const MethodInfo> methods();
const MethodInfo& info(Method method);
std::optional<Method> parse_method(std::string_view name);

std::string_view to_string(Stage stage);          ///< "call", …
std::string_view to_string(Direction direction);  ///< "any", "cut", "raise"

/// A knob that is raced.
struct KnobInfo {
  cgroup::Knob knob;
  std::string_view file;     ///< "cpu.max"
  std::string_view handler;  ///< the kernel's function behind the file
  bpf::HandlerKind handler_kind;
  bpf::Effect effect;
  std::string_view no_effect;  ///< why there is no first effect to time; "" where there is
};
std::span<const KnobInfo> raced_knobs();
const KnobInfo& raced(cgroup::Knob knob);
std::optional<cgroup::Knob> parse_raced_knob(std::string_view file);

/// Why `method` has no way to set `knob` on any host; nullopt where it has one.
std::optional<std::string_view> unsupported(Method method, cgroup::Knob knob);

}  // namespace weir::latency
