// SPDX-License-Identifier: MIT
#pragma once
// MadeCgroups: which cgroups `weir control` made in this boot, kept in <run_dir>/control.made, so that they
// are known again after a kill and removed when nobody is in them any more. A cgroup is written down before
// it is made: what was killed in between is known by its path alone.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/error.h"
#include "weir/base/units.h"
#include "weir/cgroup/dir.h"

namespace weir::control {

struct MadeCgroup {
  std::string path;
  std::optional<CgroupId> id;  ///< nullopt: it was about to be made
  bool operator==(const MadeCgroup&) const = default;
};

/// Untrusted text. Those of another boot are none. invalid for what is no such record.
Result<std::vector<MadeCgroup>> parse_made(std::string_view text, std::string_view boot_id);
std::string format_made(const std::vector<MadeCgroup>& made, std::string_view boot_id);

class MadeCgroups {
 public:
  /// What is written down; `run_dir` is made where it is missing. Errors: refused (others could write it),
  /// invalid (damaged: removing the file forgets the cgroups, and leaves them there).
  static Result<MadeCgroups> open(const std::string& run_dir, std::string boot_id);

  Result<void> will_make(const std::string& path);
  Result<void> has_made(const std::string& path, CgroupId id);
  /// Removes those that are empty, the deepest first; what stays, and why, for people. Others that have taken
  /// such a path meanwhile are let be.
  std::vector<std::string> remove_all(cgroup::Dir& root);
  [[nodiscard]] const std::vector<MadeCgroup>& all() const { return made_; }

 private:
  MadeCgroups(std::string file, std::string boot_id, std::vector<MadeCgroup> made)
      : file_(std::move(file)), boot_id_(std::move(boot_id)), made_(std::move(made)) {}
  [[nodiscard]] Result<void> save() const;

  std::string file_, boot_id_;
  std::vector<MadeCgroup> made_;
};

}  // namespace weir::control
