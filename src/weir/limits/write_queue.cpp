// SPDX-License-Identifier: MIT
#include "weir/limits/write_queue.h"

namespace weir::limits {

void WriteQueue::ask(const Place& where, std::string text, Urgency urgency, std::chrono::nanoseconds now) {
  const auto found = pending_.find(where);
  if (found == pending_.end()) {
    const Rank rank{urgency, asked_++};
    order_.emplace(rank, where);
    pending_.emplace(where, std::pair(PendingWrite{std::move(text), urgency, now, 0}, rank));
    return;
  }
  auto& [pending, rank] = found->second;
  pending.text = std::move(text);
  ++pending.merged;
  if (urgency >= pending.urgency) return;
  pending.urgency = urgency;
  pending.since = now;
  order_.erase(rank);
  rank = {urgency, asked_++};
  order_.emplace(rank, where);
}

std::optional<PendingWrite> WriteQueue::take(const Place& where) {
  const auto found = pending_.find(where);
  if (found == pending_.end()) return std::nullopt;
  order_.erase(found->second.second);
  PendingWrite pending = std::move(found->second.first);
  pending_.erase(found);
  return pending;
}

}  // namespace weir::limits
