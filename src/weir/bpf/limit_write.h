// SPDX-License-Identifier: MIT
#pragma once
// LimitWrite: follows one control file of one cgroup through its writes, in the kernel: the write's entry,
// the return of the knob's own handler, and the first thing that the new limit does. One object watches one
// file; it only reads.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/bpf/limit_write_event.h"

namespace weir::bpf {

enum class HandlerKind {
  of_file,
  of_number
};  ///< handler(kernfs_open_file*, …) or handler(css, cftype, u64)
enum class Effect { none, throttle, reclaim };

struct LimitWriteTarget {
  CgroupId cgroup;
  unsigned level = 0;            ///< depth below the root, which is 0
  std::uint64_t file_inode = 0;  ///< of the control file
  std::string handler;           ///< "cpu_max_write"
  HandlerKind handler_kind = HandlerKind::of_file;
  Effect effect = Effect::none;
};

/// A place in the kernel that is watched, or why it is not.
struct Hook {
  std::string name;     ///< "fexit cpu_max_write"; empty: not watched
  std::string why_not;  ///< reason, if not watched
  [[nodiscard]] bool watched() const { return !name.empty(); }
};

struct LimitWriteHooks {
  Hook entry, handler;
  Hook throttled, ran;  ///< of Effect::throttle
  Hook reclaim;         ///< of Effect::reclaim
};

class LimitWrite {
 public:
  /// Never fails for a hook that this kernel does not have (see hooks()); fails where nothing can be loaded
  /// at all.
  static Result<LimitWrite> open(const LimitWriteTarget& target);
  LimitWrite(const LimitWrite&) = delete;
  LimitWrite& operator=(const LimitWrite&) = delete;
  LimitWrite(LimitWrite&&) noexcept;
  LimitWrite& operator=(LimitWrite&&) noexcept;
  ~LimitWrite();

  [[nodiscard]] const LimitWriteHooks& hooks() const;
  /// The hooks of the effect see every context switch: they are attached only while asked for.
  Result<void> watch_effect();
  void ignore_effect();
  /// Appends what happened since the last call, in the ring's order. Does not wait.
  void drain(std::vector<limit_write_event>& events);
  /// Events for which the ring had no room, since open().
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct Loaded;
  explicit LimitWrite(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace weir::bpf
