// SPDX-License-Identifier: MIT
#include "weir/limits/history.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weir::limits {

std::vector<Change> latest(std::vector<Change> records) {
  std::map<ChangeId, Change> by_id;
  for (Change& record : records) by_id.insert_or_assign(record.id, std::move(record));
  std::vector<Change> changes;
  changes.reserve(by_id.size());
  for (auto& [id, change] : by_id) changes.push_back(std::move(change));
  return changes;
}

std::map<Place, std::vector<Change*>> chains(std::vector<Change>& changes) {
  std::map<Place, std::vector<Change*>> found;
  for (Change& change : changes) {
    if (in_force(change)) found[place(change)].push_back(&change);
  }
  return found;
}

std::vector<Change> compact(std::vector<Change> changes, const Keep& keep) {
  std::set<ChangeId> merged;
  for (const auto& [where, chain] : chains(changes)) {
    const std::size_t steps = std::max<std::size_t>(keep.steps, 1);
    if (chain.size() <= steps) continue;
    const std::size_t last = chain.size() - steps;  // the one that the older ones are merged into
    chain[last]->before = chain.front()->before;
    for (std::size_t n = 0; n < last; ++n) merged.insert(chain[n]->id);
  }
  std::size_t ended = 0;
  std::vector<Change> kept;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    const bool wanted = in_force(*change) ? !merged.contains(change->id) : ended++ < keep.ended;
    if (wanted) kept.push_back(std::move(*change));
  }
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace weir::limits
