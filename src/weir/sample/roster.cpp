// SPDX-License-Identifier: MIT
#include "weir/sample/roster.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "weir/container/anchor.h"
#include "weir/container/target.h"

namespace weir::sample {
namespace {

/// Deeper than any runtime puts a container; a user who may make cgroups cannot use up our watches below it.
constexpr std::ptrdiff_t kDeepestPlace = 12;
constexpr std::size_t kMostPlaces = 8192;

bool is_unit(std::string_view name) { return name.ends_with(".service") || name.ends_with(".scope"); }

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_below(const std::string& path, const std::string& top) {
  return path.size() > top.size() && path.starts_with(top) && path[top.size()] == '/';
}

}  // namespace

Result<Roster> Roster::open(cgroup::Dir& root, const HostPaths& paths, container::Include include,
                            const Clock& clock) {
  Roster roster(root, paths, include, clock);
  roster.mount_ = paths.cgroup_root;
  if (roster.mount_.empty()) {
    WEIR_TRY(roster.mount_, cgroup::find_mount_point());
  }
  roster.inotify_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!roster.inotify_.valid()) return std::unexpected(errno_error(errno, "inotify", "open"));
  return roster;
}

/// Where containers may come: "" (the root), slices, and plain cgroups below those (/docker, /kubepods, …).
bool Roster::is_place(const std::string& path) const {
  const std::string_view name = container::last_component(path);
  if (std::ranges::count(path, '/') > kDeepestPlace || known_.contains(path)) return false;
  return !is_unit(name) && container::id_in_path(path).empty();
}

void Roster::watch(const std::string& parent) {
  if (places_.contains(parent)) return;
  const std::string path = mount_ + (parent.empty() ? "/" : parent);
  const int wd = places_.size() >= kMostPlaces
                     ? -1
                     : ::inotify_add_watch(inotify_.get(), path.c_str(),
                                           IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW);
  if (wd < 0) {
    if (places_.size() >= kMostPlaces || errno != ENOENT) ++unwatched_;
    return;
  }
  watched_.insert_or_assign(wd, parent);
  places_.insert_or_assign(parent, wd);
}

void Roster::watch_ancestors(const std::string& path) {
  for (std::string parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) watch(parent);
}

void Roster::start(Container container) {
  const auto dir = cgroup::open_path(root_, container.cgroup);
  const CgroupId id = dir ? (*dir)->id() : CgroupId(0);
  if (const auto known = known_.find(container.cgroup); known != known_.end()) {
    if (!dir || known->second.cgroup_id == id) return;
    end(known);  // another one has its path now
  }
  watch_ancestors(container.cgroup);
  const std::string path = container.cgroup;
  const Subject& subject =
      known_.insert_or_assign(path, Subject{.container = std::move(container), .cgroup_id = id})
          .first->second;
  changes_.push_back({.kind = Kind::started, .subject = subject, .time = clock_.realtime()});
}

void Roster::end(std::map<std::string, Subject>::iterator which) {
  changes_.push_back({.kind = Kind::ended, .subject = std::move(which->second), .time = clock_.realtime()});
  known_.erase(which);
}

void Roster::appear(const std::string& path) {
  const std::string_view id = container::id_in_path(path);
  const Container found = container::identify(path, paths_, root_);
  if (found.runtime != Runtime::none || !id.empty() || include_ == container::Include::every_cgroup) {
    const bool service = found.runtime == Runtime::systemd;
    if (!service || include_ != container::Include::containers) start(found);
  }
  if (!is_place(path)) return;
  watch(path);
  // What was made in it before the watch was there.
  const auto dir = cgroup::open_path(root_, path);
  const auto children = dir ? (*dir)->children() : Result<std::vector<std::string>>();
  if (children)
    for (const std::string& child : *children) appear(path + "/" + child);
}

void Roster::vanish(const std::string& path) {
  for (auto known = known_.lower_bound(path); known != known_.end();) {
    const auto each = known++;
    if (each->first == path || is_below(each->first, path))
      end(each);
    else if (!each->first.starts_with(path))
      break;
  }
  for (auto place = places_.lower_bound(path); place != places_.end();) {
    const auto each = place++;
    if (each->first != path && !is_below(each->first, path)) {
      if (!each->first.starts_with(path)) break;
      continue;
    }
    ::inotify_rm_watch(inotify_.get(), each->second);
    watched_.erase(each->second);
    places_.erase(each);
  }
}

/// At the start, and where the kernel says that it lost events.
void Roster::look_at_everything() {
  watch("");
  container::Inventory all = container::take_inventory(paths_, root_, include_);
  std::set<std::string> there;
  for (const Container& each : all.containers) there.insert(each.cgroup);
  for (auto known = known_.begin(); known != known_.end();) {
    const auto each = known++;
    if (!there.contains(each->first)) end(each);
  }
  for (Container& each : all.containers) start(std::move(each));
  // Places in which nothing runs now.
  std::vector<std::string> level = {""};
  while (!level.empty()) {
    std::vector<std::string> below;
    for (const std::string& place : level) {
      watch(place);
      const auto dir =
          place.empty() ? Result<std::unique_ptr<cgroup::Dir>>() : cgroup::open_path(root_, place);
      const auto children = place.empty() ? root_.children()
                            : dir         ? (*dir)->children()
                                          : Result<std::vector<std::string>>();
      if (!children) continue;
      for (const std::string& child : *children) {
        const std::string path = place + "/" + child;
        if (is_place(path))
          below.push_back(path);
        else if (!known_.contains(path) && !container::id_in_path(path).empty())
          start(container::identify(path, paths_, root_));  // a runtime that is not known, or keeps no record
      }
    }
    level = std::move(below);
  }
}

void Roster::ask_names_again() {
  for (auto& [path, subject] : known_) {
    if (subject.container.runtime != Runtime::docker) continue;
    Container found = container::identify(path, paths_, root_);
    if (found.runtime != Runtime::docker || found.name == subject.container.name) continue;
    subject.container = std::move(found);
    changes_.push_back({.kind = Kind::renamed, .subject = subject, .time = clock_.realtime()});
  }
}

std::vector<RosterChange> Roster::update() {
  if (!begun_) {
    begun_ = true;
    look_at_everything();
  }
  if (renames_.take()) ask_names_again();
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    for (ssize_t at = 0; at < size;) {
      struct inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) look_at_everything();
      const auto place = watched_.find(event.wd);
      if (place == watched_.end()) continue;
      const std::string parent = place->second;
      if ((event.mask & IN_IGNORED) != 0) {
        places_.erase(parent);
        watched_.erase(place);
      } else if ((event.mask & IN_ISDIR) != 0 && event.len > 0) {
        const std::string path = parent + "/" + name;
        if ((event.mask & IN_CREATE) != 0) appear(path);
        if ((event.mask & IN_DELETE) != 0) vanish(path);
      }
    }
  }
  return std::exchange(changes_, {});
}

}  // namespace weir::sample
