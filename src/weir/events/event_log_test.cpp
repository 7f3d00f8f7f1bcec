// SPDX-License-Identifier: MIT
#include "weir/events/event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/full_disk.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>
#include <iterator>

namespace weir::events {
namespace {

using testing::HasError;
using testing::Succeeds;

class EventLogTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string bytes(const std::string& name = "events.jsonl") const {
    std::ifstream in(folder_.path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  EventLog open(LogOptions options = {}) { return EventLog::open(path_, options).value(); }

  testing::TempDir folder_;
  std::string path_ = folder_.path("events.jsonl");
};

TEST_F(EventLogTest, AppendsWholeLinesAlsoToWhatIsThere) {
  {
    EXPECT_THAT(open().append("one"), Succeeds());
  }
  EXPECT_THAT(open().append("two"), Succeeds());
  EXPECT_EQ(bytes(), "one\ntwo\n");
}

TEST_F(EventLogTest, ALineThatAKilledWriterLeftIsEnded) {
  std::ofstream(path_) << "torn";
  EXPECT_THAT(open().append("two"), Succeeds());
  EXPECT_EQ(bytes(), "torn\ntwo\n");
}

TEST_F(EventLogTest, RotatesByItsSizeAndKeepsAFew) {
  EventLog log = open({.most_bytes = 10, .kept = 2});
  for (const char* line : {"line1", "line2", "line3", "line4"}) EXPECT_THAT(log.append(line), Succeeds());
  EXPECT_EQ(bytes(), "line4\n");
  EXPECT_EQ(bytes("events.jsonl.1"), "line3\n");
  EXPECT_EQ(bytes("events.jsonl.2"), "line2\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.path("events.jsonl.3")));
}

TEST_F(EventLogTest, FollowsWhatSomeoneElseRenamedRemovedOrTruncated) {
  EventLog log = open();
  EXPECT_THAT(log.append("one"), Succeeds());
  std::filesystem::rename(path_, path_ + ".old");
  EXPECT_THAT(log.append("two"), Succeeds());
  EXPECT_EQ(bytes(), "two\n");
  std::filesystem::remove(path_);
  EXPECT_THAT(log.append("three"), Succeeds());
  EXPECT_EQ(bytes(), "three\n");
  std::filesystem::resize_file(path_, 0);
  EXPECT_THAT(log.append("four"), Succeeds());
  EXPECT_EQ(bytes(), "four\n");
}

TEST_F(EventLogTest, AFullDiskTearsNoLineAndWhatItSwallowedIsTold) {
  EventLog log = open();
  EXPECT_THAT(log.append("one"), Succeeds());
  const testing::FullDisk disk;
  disk.fill(path_);
  EXPECT_FALSE(log.append("two"));
  EXPECT_FALSE(log.append("three"));
  EXPECT_EQ(log.lost(), 2U);
  EXPECT_EQ(bytes(), "one\n");
  disk.free();
  EXPECT_THAT(log.append("four"), Succeeds());
  EXPECT_EQ(bytes(), "one\n{\"schema\":1,\"event\":\"lost\",\"lines\":2}\nfour\n");
  EXPECT_EQ(log.lost(), 0U);
}

TEST_F(EventLogTest, ALinkInItsPlaceIsNotFollowed) {
  const testing::TempDir other;
  std::filesystem::create_symlink(other.path("victim"), path_);
  EXPECT_FALSE(EventLog::open(path_).has_value());
  EXPECT_FALSE(std::filesystem::exists(other.path("victim")));
}

TEST_F(EventLogTest, AFolderThatOthersCanWriteIsRefused) {
  ::chmod(folder_.path().c_str(), 0777);
  EXPECT_THAT(EventLog::open(path_), HasError(ErrorKind::refused));
}

}  // namespace
}  // namespace weir::events
