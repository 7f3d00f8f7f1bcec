// SPDX-License-Identifier: MIT
#include "weir/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_F(FileTest, AFileThatOnlyWeCouldHaveWrittenIsTrusted) {
  EXPECT_THAT(replace_file(path("a"), "x", 0644, Durable::no), Succeeds());
  const auto file = open_trusted(path("a"), std::nullopt);
  ASSERT_THAT(file, Succeeds());
  EXPECT_THAT(read_all(file->get(), "a"), HasValue("x"));
  EXPECT_THAT(open_trusted(path("none"), std::nullopt), HasError(ErrorKind::absent));
}

TEST_F(FileTest, AFileThatOthersCouldHaveWrittenIsNot) {
  EXPECT_THAT(replace_file(path("a"), "x", 0644, Durable::no), Succeeds());
  ASSERT_EQ(::chmod(path("a").c_str(), 0646), 0);
  EXPECT_THAT(open_trusted(path("a"), std::nullopt), HasError(ErrorKind::refused));
  std::filesystem::create_directory(path("d"));
  EXPECT_THAT(open_trusted(path("d"), std::nullopt), HasError(ErrorKind::refused));
  std::filesystem::create_symlink(path("a"), path("link"));
  EXPECT_THAT(open_trusted(path("link"), std::nullopt), HasError(ErrorKind::refused));
}

TEST_F(FileTest, AFileBelowAFolderThatOthersCanWriteIsNot) {
  std::filesystem::create_directories(path("open/inner"));
  EXPECT_THAT(replace_file(path("open/inner/a"), "x", 0644, Durable::no), Succeeds());
  EXPECT_THAT(open_trusted(path("open/inner/a"), std::nullopt), Succeeds());
  ASSERT_EQ(::chmod(path("open").c_str(), 0777), 0);
  EXPECT_THAT(open_trusted(path("open/inner/a"), std::nullopt), HasError(ErrorKind::refused));
}

TEST_F(FileTest, AFileOfAnotherUserIsTrustedOnlyWhereThatOneIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  EXPECT_THAT(replace_file(path("a"), "x", 0644, Durable::no), Succeeds());
  ASSERT_EQ(::chown(path("a").c_str(), 1234, 1234), 0);
  EXPECT_THAT(open_trusted(path("a"), std::nullopt), HasError(ErrorKind::refused));
  EXPECT_THAT(open_trusted(path("a"), 1234), Succeeds());
}

}  // namespace
}  // namespace weir
