// SPDX-License-Identifier: MIT
#pragma once
// LimitWatch: tells when a limit of a container changes, from what to what, and by whom where that is known:
// BPF sees who writes to the control files (bpf/knob_watch.h), Weir's journal says what Weir itself changed.
// Without BPF only looking again finds a change, and not whose it was. One thread.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/bpf/knob_watch.h"
#include "weir/cgroup/dir.h"
#include "weir/cgroup/knob.h"
#include "weir/model/event.h"
#include "weir/model/host_paths.h"

namespace weir::events {

class LimitWatch {
 public:
  /// All outlive it; `knobs` may be null.
  struct Sources {
    const cgroup::Dir& root;
    const HostPaths& paths;
    const Clock& clock;
    bpf::KnobWatch* knobs = nullptr;
    std::string boot_id;  ///< empty: the journal is not asked
  };
  explicit LimitWatch(Sources sources) : sources_(std::move(sources)) {}

  /// From now on. One that is gone already is passed over. What the runtime sets on one that has just started
  /// are its first limits and no change of them.
  enum class Begin { was_there, just_started };
  void add(const Subject& subject, Begin begin = Begin::was_there);
  void rename(const Subject& subject);
  void remove(CgroupId cgroup);

  /// Readable when take() has something to do; -1 without BPF.
  [[nodiscard]] int fd() const { return sources_.knobs == nullptr ? -1 : sources_.knobs->fd(); }
  /// What was seen to be written since the last call, and what look_again() found before.
  std::vector<Event> take();
  /// Reads every limit again. What it finds is told by the next take(): a value can be read before it is
  /// known who wrote it.
  void look_again();

 private:
  struct Watched {
    Subject subject;
    std::unique_ptr<cgroup::Dir> dir;
    std::map<cgroup::Knob, std::vector<cgroup::Setting>> settings;
    std::vector<std::uint64_t> files;
    std::chrono::nanoseconds settled_at{0};  ///< CLOCK_MONOTONIC
  };
  struct File {
    CgroupId cgroup;
    cgroup::Knob knob;
  };
  void check(const knob_watch_event& write, std::vector<Event>& events);
  void check(Watched& watched, cgroup::Knob knob, const knob_watch_event* write, std::vector<Event>& events);
  void say(const Watched& watched, const cgroup::Setting& before, const cgroup::Setting& after,
           const knob_watch_event* write, std::vector<Event>& events) const;

  Sources sources_;
  std::map<CgroupId, Watched> watched_;
  std::map<std::uint64_t, File> files_;                   ///< by inode
  std::vector<knob_watch_event> writes_, early_;          ///< early_: seen before the value was there
  std::vector<std::pair<CgroupId, cgroup::Knob>> found_;  ///< by look_again()
  std::uint64_t lost_ = 0;
};

}  // namespace weir::events
