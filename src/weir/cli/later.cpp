// SPDX-License-Identifier: MIT
#include "weir/cli/later.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "weir/limits/restore.h"

namespace weir::cli {

Result<void> run_weir_later(const HostPaths& paths, std::string name, std::vector<std::string> words,
                            std::chrono::nanoseconds after) {
  using std::chrono::microseconds;
  WEIR_TRY(std::string program, limits::own_program(paths));
  std::vector<std::string> argv = {std::move(program)};
  const auto add_folder = [&](const char* option, const std::string& path) {
    std::error_code ignored;
    argv.insert(argv.end(), {option, std::filesystem::absolute(path, ignored).string()});
  };
  add_folder("--run-dir", paths.run_dir);
  add_folder("--state-dir", paths.state_dir);
  if (!paths.cgroup_root.empty()) add_folder("--cgroup-root", paths.cgroup_root);
  std::ranges::move(words, std::back_inserter(argv));
  WEIR_CHECK(limits::run_later({.name = std::move(name),
                                .argv = std::move(argv),
                                .after = std::max(std::chrono::ceil<microseconds>(after), microseconds(1))},
                               paths));
  return {};
}

}  // namespace weir::cli
