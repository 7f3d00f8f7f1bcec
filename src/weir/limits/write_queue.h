// SPDX-License-Identifier: MIT
#pragma once
// WriteQueue: limits that were asked for and are not written yet. One request a knob, the last value wins;
// urgent ones come first, each kind in the order in which it was first asked for. Pure; knows no kernel. A
// knob is whatever Key stands for one.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace weir::limits {

/// urgent: at once, whatever the period; for a raise while the container is throttled.
enum class Urgency { urgent, normal };

struct PendingWrite {
  std::string text;  ///< canonical value
  Urgency urgency = Urgency::normal;
  std::chrono::nanoseconds since{0};  ///< when the knob was first asked for, or became urgent
  std::uint32_t merged = 0;           ///< requests that it stands for, besides itself
  std::uint64_t number = 0;           ///< its place among those of its urgency
};

template <typename Key>
class WriteQueue {
 public:
  /// A later request keeps the place in the queue, unless it is more urgent.
  void ask(Key key, std::string text, Urgency urgency, std::chrono::nanoseconds now) {
    const auto rank = ranks_.find(key);
    if (rank == ranks_.end()) {
      insert(key, {std::move(text), urgency, now, 0, asked_++});
      return;
    }
    PendingWrite& pending = order_.at(rank->second).second;
    pending.text = std::move(text);
    ++pending.merged;
    if (urgency >= pending.urgency) return;
    PendingWrite moved = *take(key);
    moved.urgency = urgency;
    moved.since = now;
    moved.number = asked_++;
    insert(key, std::move(moved));
  }

  /// What was taken and not written, where it was before; a newer request stands for it.
  void put_back(Key key, PendingWrite pending) {
    const auto rank = ranks_.find(key);
    if (rank == ranks_.end())
      insert(key, std::move(pending));
    else
      order_.at(rank->second).second.merged += pending.merged + 1;
  }

  /// Takes it out; nullopt if nothing is asked for there.
  std::optional<PendingWrite> take(Key key) {
    const auto rank = ranks_.find(key);
    if (rank == ranks_.end()) return std::nullopt;
    const auto place = order_.find(rank->second);
    PendingWrite pending = std::move(place->second.second);
    order_.erase(place);
    ranks_.erase(rank);
    return pending;
  }

  enum class Verdict { take, leave, stop };
  /// Calls judge(key, pending) in the order of the queue until it says stop, and taken(key, pending) with
  /// each that it takes.
  template <typename Judge, typename Taken>
  void sift(Judge judge, Taken taken) {
    for (auto place = order_.begin(); place != order_.end();) {
      auto& [key, pending] = place->second;
      const Verdict verdict = judge(key, std::as_const(pending));
      if (verdict == Verdict::stop) return;
      if (verdict == Verdict::leave) {
        ++place;
        continue;
      }
      ranks_.erase(key);
      taken(key, std::move(pending));
      place = order_.erase(place);
    }
  }

  [[nodiscard]] bool urgent_waits() const {
    return !order_.empty() && order_.begin()->first.first == Urgency::urgent;
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  using Rank = std::pair<Urgency, std::uint64_t>;
  void insert(Key key, PendingWrite pending) {
    const Rank rank{pending.urgency, pending.number};
    ranks_.emplace(key, rank);
    order_.emplace(rank, std::pair(key, std::move(pending)));
  }

  std::map<Key, Rank> ranks_;
  std::map<Rank, std::pair<Key, PendingWrite>> order_;
  std::uint64_t asked_ = 0;
};

}  // namespace weir::limits
