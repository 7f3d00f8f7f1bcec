// SPDX-License-Identifier: MIT
#pragma once
// LiveModel: the model that a configuration names, while control runs: read when it appears or changes,
// followed (trials.h), and not asked any more once it is wrong or worse than step. Then step decides, until
// there is another one. Reads the file; one thread.

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/control/config.h"
#include "weir/control/trials.h"
#include "weir/learn/model.h"

namespace weir::control {

class LiveModel {
 public:
  /// `path` may be empty: there is none. `also`: who may own the file, besides root and the effective user.
  LiveModel(std::string path, MlMode mode, std::optional<uid_t> also)
      : path_(std::move(path)), mode_(mode), also_(also) {}

  /// Looks whether there is another file by now.
  void look(Moment moment);
  /// nullptr: step decides. Valid until the next call of anything but this.
  [[nodiscard]] const learn::Model* get() const { return model_ ? &*model_ : nullptr; }

  /// This is in force now.
  void wrote(const Action& action, Moment moment);
  /// The decisions of one look (Controller::looks()).
  void see(const std::vector<Action>& looks, Moment moment);
  void ended(CgroupId cgroup) { trials_.ended(cgroup); }

  /// What came of all that, since the last call; and for people.
  std::vector<Event> take_events() { return std::exchange(events_, {}); }
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  /// What stat says of a file; all zero: there is none.
  struct Known {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t changed = 0;  ///< ns
    off_t size = 0;
    bool operator==(const Known&) const = default;
  };
  [[nodiscard]] Known stat() const;
  void give_up(Event event);
  void add(std::vector<Event> events);

  std::string path_;
  MlMode mode_;
  std::optional<uid_t> also_;
  std::optional<Known> known_;
  std::optional<learn::Model> model_;
  Trials trials_;
  std::vector<Event> events_;
  std::vector<std::string> notes_;
};

}  // namespace weir::control
