// SPDX-License-Identifier: MIT
#pragma once
// WriteQueue: limits that were asked for and are not written yet. One request a knob, the last value wins;
// urgent ones come first, each kind in the order in which it was first asked for. Pure; knows no kernel.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "weir/limits/change.h"

namespace weir::limits {

/// urgent: at once, whatever the period; for a raise while the container is throttled.
enum class Urgency { urgent, normal };

struct PendingWrite {
  std::string text;  ///< canonical value
  Urgency urgency = Urgency::normal;
  std::chrono::nanoseconds since{0};  ///< when the knob was first asked for, or became urgent
  std::uint32_t merged = 0;           ///< requests that it stands for, besides itself
};

class WriteQueue {
 public:
  /// A later request keeps the place in the queue, unless it is more urgent.
  void ask(const Place& where, std::string text, Urgency urgency, std::chrono::nanoseconds now);
  /// Takes it out; nullopt if nothing is asked for there.
  std::optional<PendingWrite> take(const Place& where);
  /// Calls visit(place, pending) in the order of the queue until it returns false.
  template <typename Visit>
  void each(Visit visit) const {
    for (const auto& [rank, where] : order_)
      if (!visit(where, pending_.at(where).first)) return;
  }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }

 private:
  using Rank = std::pair<Urgency, std::uint64_t>;
  std::map<Place, std::pair<PendingWrite, Rank>> pending_;
  std::map<Rank, Place> order_;
  std::uint64_t asked_ = 0;
};

}  // namespace weir::limits
