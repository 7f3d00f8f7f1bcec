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

bool others_between(const Change& earlier, const Change& later) {
  if (later.before == earlier.after) return false;
  // One that was killed before its write, too, is followed by what it found.
  return earlier.phase == Phase::done || later.before != earlier.before;
}

namespace {

/// Merges neighbours that belong together into the later one, oldest first, until `steps` are left.
template <typename Together>
void merge_oldest(std::vector<Change*>& chain, std::size_t steps, Together together,
                  std::set<ChangeId>& merged) {
  std::size_t over = chain.size() - std::min(chain.size(), steps);
  std::vector<Change*> left;
  for (std::size_t n = 0; n < chain.size(); ++n) {
    if (over == 0 || n + 1 == chain.size() || !together(*chain[n], *chain[n + 1])) {
      left.push_back(chain[n]);
      continue;
    }
    chain[n + 1]->before = chain[n]->before;
    merged.insert(chain[n]->id);
    --over;
  }
  chain = std::move(left);
}

}  // namespace

std::vector<Change> compact(std::vector<Change> changes, const Keep& keep) {
  std::set<ChangeId> merged;
  for (auto& [where, chain] : chains(changes)) {
    const std::size_t steps = std::max<std::size_t>(keep.steps, 1);
    merge_oldest(
        chain, steps,
        [](const Change& a, const Change& b) { return a.reason == b.reason && !others_between(a, b); },
        merged);
    merge_oldest(chain, steps, [](const Change&, const Change&) { return true; }, merged);
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
