// SPDX-License-Identifier: MIT
#pragma once
// PidFd: one process, held so that its number cannot come to mean another one. The process itself is not kept
// alive.

#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/base/units.h"

namespace weir::proc {

class PidFd {
 public:
  /// gone: no such process.
  static Result<PidFd> open(Pid pid);

  [[nodiscard]] Pid pid() const { return pid_; }
  /// False once it has exited, also while it is a zombie.
  [[nodiscard]] bool alive() const;
  /// gone: it has exited and been reaped.
  [[nodiscard]] Result<void> send_signal(int signal) const;
  /// Becomes readable when the process exits; for poll().
  [[nodiscard]] int get() const { return fd_.get(); }

 private:
  PidFd(Pid pid, Fd fd) : pid_(pid), fd_(std::move(fd)) {}

  Pid pid_;
  Fd fd_;
};

}  // namespace weir::proc
