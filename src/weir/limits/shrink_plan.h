// SPDX-License-Identifier: MIT
#pragma once
// The cuts of memory in a plan that have to be shrunk first: all containers at once, each on a thread of its
// own ("weir-shrink"), within one time budget. The calling thread journals, watches the time, and ends writes
// that block in the kernel by SIGURG, whose handler it sets meanwhile: one call at a time in a process.

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/limits/journal.h"
#include "weir/limits/plan.h"

namespace weir::limits {

struct ShrinkView {
  std::string name;  ///< of the container; may be hostile
  Bytes use, limit;
};

/// How long, and what to ask and tell meanwhile.
struct Patience {
  std::chrono::nanoseconds budget = std::chrono::seconds(30);
  std::function<bool()> interrupted;                          ///< whether to take all back; may be empty
  std::function<void(std::span<const ShrinkView>)> progress;  ///< some ten times a second; may be empty
  std::function<std::chrono::nanoseconds()> now;              ///< for tests; empty: the monotonic clock
  std::function<void(std::chrono::nanoseconds)> pause;        ///< for tests; empty: sleeps
};

/// Carries out those of `writes` that have to be shrunk (Outcome::shrink) and puts their fate into their
/// steps; the others it leaves as they are. First all of memory.max, then all of memory.high. `note`
/// journals; the brake, a memory.high that stands only meanwhile, is journalled as a change of its own, from
/// index writes.size() on, before it is written. When one fails, those that are still at it take theirs back
/// too. Where the kernel does not return from a write for a tenth of the budget past its end, the thread is
/// left behind, and what it was doing is `failed` with its intent in the journal.
/// Meanwhile the journal is unlocked, and these containers are locked against other weirs (shrink_lock.h).
/// Errors: the journal could not be locked again; then nothing more may be written.
Result<void> shrink_first(std::span<const Write> writes, const Patience& patience, Journal& journal,
                          const std::function<Result<void>(const Change&)>& note);

}  // namespace weir::limits
