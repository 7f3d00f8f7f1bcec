// SPDX-License-Identifier: MIT
#include "weir/limits/sync_record.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>

#include "weir/base/file.h"

namespace weir::limits {
namespace {

using testing::HasError;
using testing::Succeeds;

SyncRecord full_record() {
  const std::string id(64, 'a');
  return {.subject = {.id = id,
                      .unit = "docker-" + id + ".scope",
                      .name = "web",
                      .cgroup = "/system.slice/docker-" + id + ".scope",
                      .cgroup_id = CgroupId(UINT64_MAX),
                      .boot = "b0"},
          .places =
              {{.knob = cgroup::Knob::io_max,
                .device = "8:0",
                .asks = {{.epoch = 3, .time = std::chrono::nanoseconds(7), .boot = "b0", .value = "wbps=1"}},
                .told = "wbps=1",
                .noted = true,
                .engine_before = {{"NanoCpus", "1"}},
                .unit_before = {{"IOReadBandwidthMax /dev/sda", "2"}}}},
          .state = SyncState::failed,
          .holds = {{.value = {cgroup::Knob::cpu_max, "", "50000 100000"}, .taken_back = true}},
          .why = "docker: no answer",
          .hint = "try",
          .notes = {"a", "b"},
          .tries = 2,
          .rewrites = 5,
          .time = std::chrono::nanoseconds(9)};
}

TEST(SyncRecord, ComesBackAsItWas) {
  const auto back = decode_sync(encode_sync(full_record()));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(*back, full_record());
}

TEST(SyncRecord, IsRefusedWhenItIsCutAnywhere) {
  const std::string text = encode_sync(full_record());
  for (std::size_t length = 0; length + 2 < text.size(); ++length)
    EXPECT_FALSE(decode_sync(text.substr(0, length))) << length;
}

TEST(SyncRecord, BadOnesAreRefused) {
  for (const char* text :
       {"", "[]", "{}", R"({"weir_sync":2})", R"({"weir_sync":1,"unit":"../x.service","state":"agreed"})",
        R"({"weir_sync":1,"unit":"a/b.service","state":"agreed"})",
        R"({"weir_sync":1,"id":"abc","state":"agreed"})",
        R"({"weir_sync":1,"unit":"a.service","state":"fine"})",
        R"({"weir_sync":1,"unit":"a.service","state":"agreed","places":[{"knob":"none"}]})",
        R"({"weir_sync":1,"unit":"a.service","state":"agreed","places":[7]})"})
    EXPECT_FALSE(decode_sync(text)) << text;
  EXPECT_TRUE(decode_sync(
      R"({"weir_sync":1,"unit":"a.service","state":"agreed","places":7,"tries":-1,"notes":[1]})"));
}

TEST(SyncStore, KeepsReplacesAndRemoves) {
  const testing::TempDir dir;
  auto store = SyncStore::open(dir.path("state"));
  ASSERT_THAT(store, Succeeds());
  SyncRecord record = full_record();
  ASSERT_THAT(store->save(record), Succeeds());
  record.tries = 9;
  ASSERT_THAT(store->save(record), Succeeds());
  auto read = read_syncs(dir.path("state"));
  ASSERT_THAT(read, Succeeds());
  ASSERT_EQ(read->records.size(), 1U);
  EXPECT_EQ(read->records[0].tries, 9U);
  ASSERT_THAT(store->remove(record), Succeeds());
  EXPECT_TRUE(store->read()->records.empty());
}

TEST(SyncStore, IsUnhurtByAWriterThatWasKilledAtAnyByte) {
  const testing::TempDir dir;
  {
    ASSERT_THAT(SyncStore::open(dir.path("state"))->save(full_record()), Succeeds());
  }
  const std::string name = dir.path("state") + "/sync/" + *sync_file(full_record().subject);
  SyncRecord next = full_record();
  next.tries = 9;
  const std::string text = encode_sync(next);
  for (std::size_t length = 0; length <= text.size(); length += 1) {
    // What is left of it is a temporary file, whatever its length.
    ASSERT_THAT(replace_file(name + ".77.tmp", text.substr(0, length), 0640, Durable::no), Succeeds());
    const auto store = SyncStore::open(dir.path("state"));
    ASSERT_THAT(store, Succeeds());
    const auto read = store->read();
    ASSERT_THAT(read, Succeeds());
    ASSERT_EQ(read->records.size(), 1U);
    EXPECT_EQ(read->records[0], full_record());
    EXPECT_EQ(read->damaged, 0U);
    EXPECT_FALSE(std::filesystem::exists(name + ".77.tmp"));
  }
}

TEST(SyncStore, PassesOverWhatIsNoRecordAndCountsIt) {
  const testing::TempDir dir;
  const auto store = SyncStore::open(dir.path("state"));
  ASSERT_THAT(store->save(full_record()), Succeeds());
  const std::string folder = dir.path("state") + "/sync/";
  ASSERT_THAT(replace_file(folder + "unit-a.json", "garbage", 0640, Durable::no), Succeeds());
  // Another's record under a name that is not its own.
  ASSERT_THAT(replace_file(folder + "unit-b.service.json", encode_sync(full_record()), 0640, Durable::no),
              Succeeds());
  std::filesystem::create_symlink("/etc/passwd", folder + "unit-c.service.json");
  ASSERT_THAT(replace_file(folder + "unit-d.service.json",
                           R"({"weir_sync":1,"unit":"d.service","state":"agreed"})", 0640, Durable::no),
              Succeeds());
  ::chmod((folder + "unit-d.service.json").c_str(), 0666);
  const auto read = store->read();
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->records.size(), 1U);
  EXPECT_EQ(read->damaged, 4U);
}

TEST(SyncStore, RefusesADirectoryThatOthersCanWrite) {
  const testing::TempDir dir;
  ASSERT_THAT(SyncStore::open(dir.path("state")), Succeeds());
  ::chmod((dir.path("state") + "/sync").c_str(), 0777);
  EXPECT_THAT(SyncStore::open(dir.path("state")), HasError(ErrorKind::refused));
  EXPECT_THAT(read_syncs(dir.path("state")), HasError(ErrorKind::refused));
}

TEST(SyncStore, IsOneProcessAtATime) {
  const testing::TempDir dir;
  const auto first = SyncStore::open(dir.path("state"));
  ASSERT_THAT(first, Succeeds());
  EXPECT_THAT(SyncStore::open(dir.path("state"), std::chrono::milliseconds(0)), HasError(ErrorKind::failed));
}

TEST(ReadSyncs, IsEmptyWithoutADirectory) {
  const testing::TempDir dir;
  const auto read = read_syncs(dir.path("none"));
  ASSERT_THAT(read, Succeeds());
  EXPECT_TRUE(read->records.empty());
}

TEST(SyncFile, TakesOnlyNamesThatARuntimeCouldHave) {
  EXPECT_TRUE(sync_file({.unit = "weir\\x2dlab@1.service"}));
  for (const char* unit : {"", ".hidden.service", "a/b.service", "a b.service", "a\n.service"})
    EXPECT_FALSE(sync_file({.unit = unit})) << unit;
  EXPECT_FALSE(sync_file({.unit = std::string(300, 'a')}));
  EXPECT_FALSE(sync_file({.id = std::string(64, 'A'), .unit = "a.scope"}));
}

}  // namespace
}  // namespace weir::limits
