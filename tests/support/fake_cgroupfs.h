// SPDX-License-Identifier: MIT
#pragma once
// FakeCgroupfs: a cgroup2 tree in memory that behaves as the kernel does: a default for every file, refused
// values (EINVAL, ERANGE, EBUSY), canonical read-back ("max", page rounding, one-number cpu.max), ENOENT for
// a controller that is not in the parent's subtree_control, ENODEV on kept files and ENOENT in kept
// directories after removal.
//
//   FakeCgroupfs fs({{"web", {{"memory.max", "max\n"}}}, {"web/child", {}}});
//   auto dir = fs.dir("web");
//
// Not thread-safe. Proven by tests/system/cgroup_contract_test.cpp, which runs the same cases on the real
// kernel.

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "weir/cgroup/dir.h"

namespace weir::testing {

struct FakeTree;  // the state; shared with every Dir and File that was handed out

class FakeCgroupfs {
 public:
  using Files = std::map<std::string, std::string>;
  FakeCgroupfs();
  explicit FakeCgroupfs(const std::map<std::string, Files>& cgroups);
  /// So that a literal does not also mean a copy.
  FakeCgroupfs(std::initializer_list<std::pair<const std::string, Files>> cgroups)
      : FakeCgroupfs(std::map<std::string, Files>(cgroups)) {}

  [[nodiscard]] std::unique_ptr<cgroup::Dir> root() const;
  /// Asserts that it exists.
  [[nodiscard]] std::unique_ptr<cgroup::Dir> dir(std::string_view path) const;
  /// Sets a file's text as the kernel would change it by itself (cpu.stat, memory.current, memory.events,
  /// cgroup.procs …).
  void set(std::string_view path, std::string_view file, std::string_view text);
  [[nodiscard]] std::string get(std::string_view path, std::string_view file) const;
  void add(std::string_view path);     ///< mkdir -p; new ids
  void remove(std::string_view path);  ///< with its children, as when a container ends
  void take_file(std::string_view path, std::string_view file);  ///< as if the controller were off
  /// Makes every write to `file` fail with `err` (EROFS, EACCES …) from now on; 0 ends it.
  void fail_writes(std::string_view path, std::string_view file, int err);
  /// Called before every write with (path, file, text): to let a container die at the worst moment.
  void before_write(std::function<void(std::string_view, std::string_view, std::string_view)> hook);

 private:
  std::shared_ptr<FakeTree> tree_;
};

}  // namespace weir::testing
