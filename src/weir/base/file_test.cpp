// SPDX-License-Identifier: MIT
#include "weir/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/result_matchers.h"
#include <cstdlib>
#include <filesystem>

namespace weir {
namespace {

using testing::HasError;
using testing::HasValue;
using testing::Succeeds;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-file-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(dir_); }
  [[nodiscard]] std::string path(const char* name) const { return dir_ + "/" + name; }

  std::string dir_;
};

TEST_F(FileTest, ReplaceThenReadGivesTheSameBytes) {
  EXPECT_THAT(replace_file(path("a"), "one", 0640, Durable::yes), Succeeds());
  EXPECT_THAT(replace_file(path("a"), "two", 0640, Durable::no), Succeeds());
  EXPECT_THAT(read_file(path("a")), HasValue("two"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), std::filesystem::directory_iterator()),
            1);
}

TEST_F(FileTest, ReadingDoesNotFollowASymlink) {
  EXPECT_THAT(replace_file(path("secret"), "x", 0600, Durable::no), Succeeds());
  std::filesystem::create_symlink(path("secret"), path("link"));
  EXPECT_FALSE(read_file(path("link")).has_value());
}

TEST_F(FileTest, ReplacingASymlinkLeavesItsTargetAlone) {
  EXPECT_THAT(replace_file(path("victim"), "x", 0600, Durable::no), Succeeds());
  std::filesystem::create_symlink(path("victim"), path("link"));
  EXPECT_THAT(replace_file(path("link"), "y", 0600, Durable::no), Succeeds());
  EXPECT_THAT(read_file(path("victim")), HasValue("x"));
}

TEST_F(FileTest, AFileOverTheCapIsAnError) {
  EXPECT_THAT(replace_file(path("big"), std::string(5000, 'x'), 0600, Durable::no), Succeeds());
  EXPECT_THAT(read_file(path("big"), 4096), HasError(ErrorKind::failed));
}

TEST_F(FileTest, AMissingFileIsAbsent) { EXPECT_THAT(read_file(path("none")), HasError(ErrorKind::absent)); }

TEST_F(FileTest, APrivateDirectoryIsMadeWithItsParents) {
  EXPECT_THAT(open_private_directory(path("p/q/r"), 0700), Succeeds());
  struct stat st{};
  ASSERT_EQ(::stat(path("p/q/r").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0700U);
}

TEST_F(FileTest, ADirectoryThatOthersCanWriteIsRefused) {
  std::filesystem::create_directory(path("open"));
  ASSERT_EQ(::chmod(path("open").c_str(), 0777), 0);
  EXPECT_THAT(open_private_directory(path("open"), 0700), HasError(ErrorKind::refused));
}

TEST_F(FileTest, ASymlinkIsNoPrivateDirectory) {
  std::filesystem::create_directory(path("real"));
  std::filesystem::create_directory_symlink(path("real"), path("link"));
  EXPECT_FALSE(open_private_directory(path("link"), 0700).has_value());
}

}  // namespace
}  // namespace weir
