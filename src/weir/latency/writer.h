// SPDX-License-Identifier: MIT
#pragma once
// Writer: one method on one subject and knob. prepare() does all that a user of the method does not pay for
// each time; write() is what is timed.

#include <memory>

#include "weir/base/error.h"
#include "weir/latency/subject.h"
#include "weir/latency/value.h"

namespace weir::latency {

class Writer {
 public:
  virtual ~Writer() = default;
  virtual Result<void> prepare(const Value& value) = 0;
  /// Returns when the method says that it is done; the kernel's file may be written later (systemd).
  virtual Result<void> write() = 0;
};

/// absent: why this method cannot set this knob of this subject on this host, in a sentence.
Result<std::unique_ptr<Writer>> make_writer(Method method, cgroup::Knob knob, Subject& subject,
                                            const HostPaths& paths);

}  // namespace weir::latency
