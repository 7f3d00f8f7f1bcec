// SPDX-License-Identifier: MIT
#pragma once
// LimitsAbove: the limits of the cgroups above those that are sampled. A child's own files do not show them,
// and the tightest holds: a frame tells that one. Each cgroup above is read once a frame, however many are
// below it.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/cgroup/dir.h"
#include "weir/model/frame.h"
#include "weir/sample/sources.h"

namespace weir::sample {

class LimitsAbove {
  struct Level;

 public:
  /// The cgroups above one, as long as it lives.
  class Chain {
   public:
    /// Lowers the limits of `wanted` to the tightest above.
    void lower(Sources wanted, Sample& sample) const;

   private:
    friend class LimitsAbove;
    std::vector<std::shared_ptr<const Level>> levels_;
  };

  /// The root and what cannot be opened have no limits that could be told.
  Chain of(const cgroup::Dir& root, std::string_view path);
  /// Those of `wanted` anew.
  void read(Sources wanted, std::span<char> buffer);

 private:
  std::map<std::string, std::weak_ptr<Level>, std::less<>> levels_;
};

}  // namespace weir::sample
