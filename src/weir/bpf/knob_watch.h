// SPDX-License-Identifier: MIT
#pragma once
// KnobWatch: who else writes to chosen cgroup files, seen by BPF as it happens. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/bpf/knob_watch_event.h"

namespace weir::bpf {

class KnobWatch {
 public:
  /// absent or refused: no hook can be attached here.
  static Result<KnobWatch> open();
  KnobWatch(KnobWatch&&) noexcept;
  KnobWatch& operator=(KnobWatch&&) noexcept;
  ~KnobWatch();

  /// By the inode of the control file. failed: as many are watched as can be.
  Result<void> watch(std::uint64_t file);
  void ignore(std::uint64_t file);
  /// Readable when there are events.
  [[nodiscard]] int fd() const;
  /// Appends what happened since the last call; writes of this process are left out. Does not wait.
  void drain(std::vector<knob_watch_event>& events);
  [[nodiscard]] std::uint64_t lost() const;
  /// Whether the file holds the new value once the event is there; a kprobe tells a little before.
  [[nodiscard]] bool sees_value() const;
  /// "fexit cgroup_file_write"
  [[nodiscard]] const std::string& hook() const;

 private:
  struct Loaded;
  explicit KnobWatch(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace weir::bpf
