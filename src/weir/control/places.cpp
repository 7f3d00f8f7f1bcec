// SPDX-License-Identifier: MIT
#include "weir/control/places.h"

#include <algorithm>
#include <utility>

namespace weir::control {

using std::chrono::nanoseconds;
using Kind = sample::RosterChange::Kind;

void Places::ended(const std::string& path, const Subject& subject) {
  sampler_.remove(subject.cgroup_id);
  changes_.push_back({.kind = Kind::ended, .subject = subject, .time = clock_.realtime()});
  there_.erase(path);
}

void Places::look_for(std::vector<std::string> paths) {
  paths_ = std::move(paths);
  const std::map<std::string, Subject> before = there_;
  for (const auto& [path, subject] : before)
    if (std::ranges::find(paths_, path) == paths_.end()) ended(path, subject);
}

std::vector<sample::RosterChange> Places::look(const std::function<bool(CgroupId)>& elsewhere) {
  for (const std::string& path : paths_) {
    const auto known = there_.find(path);
    const auto dir = cgroup::open_path(root_, path);
    const bool same = dir && known != there_.end() && known->second.cgroup_id == (*dir)->id();
    if (same) continue;
    if (known != there_.end()) ended(path, Subject(known->second));
    if (!dir || elsewhere((*dir)->id())) continue;
    Subject subject{.container = {.name = path, .cgroup = path}, .cgroup_id = (*dir)->id()};
    if (!sampler_.add(subject.container)) continue;  // it ended meanwhile, or is looked at again
    there_.insert_or_assign(path, subject);
    full_at_ = nanoseconds(0);
    changes_.push_back({.kind = Kind::started, .subject = std::move(subject), .time = clock_.realtime()});
  }
  return std::exchange(changes_, {});
}

const Frame* Places::next() {
  const nanoseconds now = clock_.monotonic();
  if (there_.empty() || now < again()) return nullptr;
  const bool full = now >= full_at_;
  const Frame& frame = sampler_.read(full ? sample::all_sources() : sample::fast_sources());
  fast_at_ = now + kTick;
  if (full) full_at_ = now + kFullTick;
  for (const Subject& subject : sampler_.ended()) ended(subject.container.cgroup, Subject(subject));
  return &frame;
}

nanoseconds Places::again() const {
  return there_.empty() ? nanoseconds::max() : std::min(full_at_, fast_at_);
}

}  // namespace weir::control
