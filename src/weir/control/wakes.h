// SPDX-License-Identifier: MIT
#pragma once
// Wakes: who has just hit a limit, told by the kernel between the frames: throttling by BPF, memory.high by
// the notifications of memory.events. Where either is missing the frames tell later. One thread.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "weir/base/wait_set.h"
#include "weir/bpf/onset.h"
#include "weir/cgroup/dir.h"
#include "weir/policy/view.h"

namespace weir::control {

class Wakes {
 public:
  /// Of what it adds to the WaitSet; smaller ones are the owner's.
  static constexpr std::uint64_t kFirstNumber = 64;

  /// `onset` may be null; both outlive it.
  static Result<Wakes> open(WaitSet& waiting, bpf::Onset* onset);

  void add(const cgroup::Dir& dir);
  void remove(CgroupId cgroup);
  /// Each that hit a limit of a resource since the last call; what the WaitSet said, others' numbers are
  /// passed over.
  std::vector<std::pair<CgroupId, policy::Resource>> take(std::span<const Ready> ready);
  /// Waits again for what has told; not at once, since a limit that holds tells again and again.
  void rearm();

 private:
  struct Memory {
    CgroupId cgroup;
    std::unique_ptr<cgroup::File> events;
    std::uint64_t high = 0;
    bool fired = false;
  };
  Wakes(WaitSet& waiting, bpf::Onset* onset) : waiting_(&waiting), onset_(onset) {}
  static std::uint64_t read_high(cgroup::File& events);

  WaitSet* waiting_;
  bpf::Onset* onset_;
  std::map<std::uint64_t, Memory> memory_;  ///< by number
  std::uint64_t last_number_ = kFirstNumber;
  std::vector<onset_event> onsets_;
};

}  // namespace weir::control
