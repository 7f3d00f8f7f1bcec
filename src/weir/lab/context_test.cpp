// SPDX-License-Identifier: MIT
#include "weir/lab/context.h"

#include <unistd.h>

#include "support/result_matchers.h"
#include <filesystem>
#include <fstream>

namespace weir::lab {
namespace {

using weir::testing::HasError;
using weir::testing::HasValue;
namespace fs = std::filesystem;

class FindContext : public ::testing::Test {
 protected:
  FindContext() {
    std::string pattern = (fs::temp_directory_path() / "weir-context.XXXXXX").string();
    prefix_ = mkdtemp(pattern.data());
  }
  ~FindContext() override { fs::remove_all(prefix_); }
  void put(const fs::path& below) {
    fs::create_directories((prefix_ / below).parent_path());
    std::ofstream(prefix_ / below) << "x";
  }
  [[nodiscard]] std::string executable() const { return prefix_ / "bin/weir"; }
  fs::path prefix_;
};

TEST_F(FindContext, TakesTheFolderBesideBinInABuildTree) {
  put("lab/Dockerfile");
  put("lab/weir-lab");
  EXPECT_THAT(find_context(executable()), HasValue((prefix_ / "lab").string()));
}

TEST_F(FindContext, TakesTheSharedFolderOnceInstalled) {
  put("share/weir/lab/Dockerfile");
  put("share/weir/lab/weir-lab");
  EXPECT_THAT(find_context(executable()), HasValue((prefix_ / "share/weir/lab").string()));
}

TEST_F(FindContext, IsAbsentWithoutTheProgram) {
  put("lab/Dockerfile");
  EXPECT_THAT(find_context(executable()), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::lab
