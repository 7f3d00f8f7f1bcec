// SPDX-License-Identifier: MIT
#pragma once
// ShrinkLock: keeps the other weirs from writing memory limits of a container while its memory is shrunk,
// which can take half a minute in which the journal is not locked. One byte of <run_dir>/limits.shrinking for
// each cgroup, locked by the kernel, so that a kill leaves nothing behind. In a directory that no container
// can reach.

#include <functional>
#include <span>

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"
#include "weir/limits/journal.h"

namespace weir::limits {

class ShrinkLock {
 public:
  /// Until it is destroyed. To be called with the journal locked. Errors: refused when one of them is shrunk
  /// by someone else.
  static Result<ShrinkLock> take(const Journal& journal, std::span<const CgroupId> cgroups);

 private:
  explicit ShrinkLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

/// Whether someone else shrinks it just now.
bool is_shrinking(const Journal& journal, CgroupId cgroup);

/// Returns once nobody else shrinks any of them; while the journal stays locked nobody begins to. True: it
/// was unlocked meanwhile, so what was read from it is old. Errors: failed after the journal's lock_wait or
/// when `interrupted` (may be empty) says so; then the journal may be unlocked.
Result<bool> await_shrinks(Journal& journal, std::span<const CgroupId> cgroups,
                           const std::function<bool()>& interrupted);

}  // namespace weir::limits
