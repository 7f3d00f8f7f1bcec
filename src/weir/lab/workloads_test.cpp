// SPDX-License-Identifier: MIT
#include "weir/lab/workloads.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "weir/base/file.h"
#include "weir/base/text.h"

namespace weir::lab {
namespace {

/// The commands of lab/docker-compose.yml, as plain words.
std::vector<std::string> compose_commands() {
  std::vector<std::string> found;
  const auto text = read_file(std::string(WEIR_SOURCE_DIR) + "/lab/docker-compose.yml").value_or("");
  for (const std::string_view raw : split(text, '\n')) {
    std::string line(trim(raw));
    if (!line.starts_with("command:")) continue;
    std::erase_if(line, [](char c) { return c == '[' || c == ']' || c == ',' || c == '"'; });
    found.emplace_back(trim(std::string_view(line).substr(8)));
  }
  return found;
}

TEST(Workloads, AreThoseOfTheComposeFile) {
  std::vector<std::string> ours;
  for (const Workload& workload : workloads()) ours.emplace_back(workload.command);
  EXPECT_EQ(ours, compose_commands());
}

TEST(Workloads, GetAPathOnlyWhereTheyUseADisk) {
  for (const Workload& workload : workloads()) {
    const auto words = arguments(workload, "/var/tmp");
    EXPECT_EQ(std::ranges::count(words, "--path"), workload.held == Held::cpu ? 0 : 1) << workload.name;
  }
}

}  // namespace
}  // namespace weir::lab
