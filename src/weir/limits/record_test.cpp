// SPDX-License-Identifier: MIT
#include "weir/limits/record.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::limits {
namespace {

Record full_record() {
  return {.boot = "b0",
          .head = 12,
          .change = {.id = {.epoch = 12, .index = 3},
                     .phase = Phase::done,
                     .time = std::chrono::nanoseconds(1'700'000'000'123'456'789),
                     .restore_at = std::chrono::nanoseconds(1'700'000'030'000'000'000),
                     .who = {.uid = 0, .login_uid = 1000, .sudo_user = "alice"},
                     .reason = "load test",
                     .target = "image:web*",
                     .name = "web-1",
                     .cgroup = "/system.slice/docker-4f2a.scope",
                     .cgroup_id = CgroupId(UINT64_MAX),
                     .before = {cgroup::Knob::io_max, "8:0", "rbps=max wbps=max riops=max wiops=max"},
                     .after = {cgroup::Knob::io_max, "8:0", "rbps=max wbps=4194304 riops=max wiops=max"},
                     .note = "",
                     .refill = Refill{.look = {.at = nanoseconds(5), .periods = 7, .usage = microseconds(9)},
                                      .granted = microseconds(11),
                                      .exact = true}}};
}

std::string line_of(const Record& record) {
  std::string line = encode(record);
  EXPECT_EQ(line.back(), '\n');
  line.pop_back();
  return line;
}

TEST(Record, ComesBackAsItWas) {
  EXPECT_EQ(decode(line_of(full_record())), full_record());
  EXPECT_EQ(decode(line_of(Record{})), Record{});
}

TEST(Record, HoldsHostileBytesInOneLine) {
  Record record = full_record();
  for (int byte = 0; byte < 256; ++byte) record.change.reason += static_cast<char>(byte);
  record.change.target = "a\tb\nc\\x41\\";
  const std::string line = line_of(record);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(decode(line), record);
}

TEST(Record, HoldsAnyByteAtAnyPlace) {
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t place = 0; place < 17; ++place) {
      Record record = full_record();
      record.change.note = "seventeen letters";
      record.change.note[place] = static_cast<char>(byte);
      const std::string line = line_of(record);
      EXPECT_EQ(line.find('\n'), std::string::npos) << byte << " at " << place;
      EXPECT_EQ(decode(line), record) << byte << " at " << place;
    }
}

TEST(Record, IsKnownToBeTornAtEveryByte) {
  const std::string line = line_of(full_record());
  for (std::size_t length = 0; length < line.size(); ++length)
    EXPECT_FALSE(decode(line.substr(0, length))) << length;
}

TEST(Record, IsKnownToBeDamagedAtEveryByte) {
  const std::string line = line_of(full_record());
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string damaged = line;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(decode(damaged)) << at;
  }
}

TEST(Record, BadLinesAreRefused) {
  for (const char* line :
       {"", "w2", "00000000\t", "00000000\tw2", "deadbeef\tw2\tb0\t1", "not a record at all", "\t\t\t\t\t\t"})
    EXPECT_FALSE(decode(line)) << line;
  EXPECT_FALSE(decode(std::string(kLongestRecord + 1, 'x')));
}

}  // namespace
}  // namespace weir::limits
