// SPDX-License-Identifier: MIT
#pragma once
// Footprint: how much memory a cgroup uses, and how much of it the kernel cannot take back, so that a cut of
// memory.max below it would end in an OOM kill. Decides whether a cut may be written, has to be shrunk first
// (shrink.h), or is refused.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/limits/change.h"

namespace weir::limits {

/// The room that must stay between what is needed and memory.max: a sixteenth of the limit, at least 4 MiB
/// and at most 512 MiB, never more than half. With memory.high at its lower end the kernel slows a thread
/// that allocates through it to seconds for 200 MiB (mem_cgroup_handle_over_high), and memory.stat, which
/// lags by up to 256 KiB a CPU, is still right.
Bytes headroom(Bytes limit);

/// What no reclaim can take, from the text of memory.stat: anonymous and shared memory beyond what fits into
/// `swap_room`, locked memory, the kernel's own. Errors: failed, when there is no line "anon".
Result<Bytes> parse_need(std::string_view memory_stat, Bytes swap_room);

/// Reads control files by name; from a Dir or from files kept open.
using ReadFile = std::function<Result<std::string>(std::string_view file)>;
Result<Footprint> read_footprint(const ReadFile& read);

/// Whether the knob is one that holds memory back: memory.max, memory.high.
bool limits_memory(cgroup::Knob knob);

/// How a cut of memory.max or memory.high from `before` to `after` can be made: nothing where it may be
/// written right away (no cut, or the cgroup has never come near the new limit), the footprint where it has
/// to be shrunk first. Errors: refused, when what is needed does not fit.
Result<std::optional<Footprint>> check_memory_cut(const cgroup::Dir& dir, const cgroup::Setting& before,
                                                  const cgroup::Setting& after);

/// The refusal of a cut to `limit` for a need of `need`, with the numbers.
Error does_not_fit(cgroup::Knob knob, Bytes limit, Bytes need);

}  // namespace weir::limits
