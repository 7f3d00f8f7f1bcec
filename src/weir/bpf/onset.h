// SPDX-License-Identifier: MIT
#pragma once
// Onset: BPF tells at once when a watched cgroup is throttled by its own CPU limit for a quarter of its
// period or more (once a pause each), and which process is killed for want of memory, of any cgroup. One
// thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/bpf/onset_event.h"

namespace weir::bpf {

class Onset {
 public:
  /// Each of the two hooks where it can be. `pause`: from one throttling of a cgroup that is told to the
  /// next. absent or refused: none can.
  static Result<Onset> open(std::chrono::nanoseconds pause = std::chrono::seconds(1));
  Onset(Onset&&) noexcept;
  Onset& operator=(Onset&&) noexcept;
  ~Onset();

  /// failed: as many are watched as can be.
  Result<void> watch(CgroupId cgroup);
  void ignore(CgroupId cgroup);
  /// Readable when there are events.
  [[nodiscard]] int fd() const;
  /// Appends what happened since the last call. Does not wait.
  void drain(std::vector<onset_event>& events);
  [[nodiscard]] std::uint64_t lost() const;
  /// "fexit throttle_cfs_rq"; empty: not attached.
  [[nodiscard]] const std::string& throttle_hook() const;
  [[nodiscard]] const std::string& kill_hook() const;

 private:
  struct Loaded;
  explicit Onset(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace weir::bpf
