// SPDX-License-Identifier: MIT
// What is recorded is read again: across blocks, kills at any byte, clocks that jump, and full disks.
#include "weir/history/recorder.h"

#include <gtest/gtest.h>

#include "support/full_disk.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <filesystem>
#include <fstream>
#include <iterator>

#include "weir/history/reader.h"

namespace weir::history {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using weir::testing::HasError;
using weir::testing::Succeeds;

constexpr nanoseconds kStart = 480'000h;

/// The `n`th second's: two containers, one of them with noise.
Frame frame(std::uint64_t n, nanoseconds start = kStart) {
  Frame made{.number = n,
             .at = 1h + n * 1s,
             .time = start + n * 1s,
             .generation = 1,
             .host = {},
             .subjects = {},
             .samples = {}};
  for (const std::uint64_t id : {1, 2}) {
    made.subjects.push_back(
        {.container = {.name = "c" + std::to_string(id), .cgroup = "/c"}, .cgroup_id = CgroupId(id)});
    Sample sample;
    sample.set(Metric::cpu_usage, n * 1000 + (id == 2 ? (n * 7919) % 1000 : 0));
    sample.read_at[index(Source::cpu_stat)] = made.at.count();
    made.samples.push_back(sample);
  }
  return made;
}

class History : public ::testing::Test {
 protected:
  [[nodiscard]] Recorder recorder(RecorderOptions options = {}) const {
    auto opened = Recorder::open(directory, options);
    EXPECT_THAT(opened, Succeeds());
    return std::move(*opened);
  }
  [[nodiscard]] Reader reader() const {
    auto opened = Reader::open(directory);
    EXPECT_THAT(opened, Succeeds());
    return std::move(*opened);
  }
  /// The number of the frame that is found; -1: none.
  [[nodiscard]] std::int64_t at(nanoseconds time) const {
    const auto found = reader().frames_at(time);
    return found && found->moment ? static_cast<std::int64_t>(found->moment->now.number) : -1;
  }
  [[nodiscard]] std::uint64_t size() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) sum += entry.file_size();
    return sum;
  }
  [[nodiscard]] std::vector<std::string> segments() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      if (entry.path().filename().string().starts_with("segment-")) names.push_back(entry.path());
    std::ranges::sort(names);
    return names;
  }

  weir::testing::TempDir dir;
  std::string directory = dir.path("history");
};

TEST_F(History, FindsTheLastTwoFramesAtOrBeforeATime) {
  Recorder to = recorder();
  for (std::uint64_t n = 1; n <= 700; ++n) ASSERT_THAT(to.add(frame(n)), Succeeds());
  ASSERT_THAT(to.flush(), Succeeds());
  Reader from = reader();
  for (const std::uint64_t n : {2, 5, 299, 300, 301, 302, 600, 601, 699, 700}) {  // blocks end at 300 and 600
    const auto found = from.frames_at(kStart + n * 1s + 400ms);
    ASSERT_THAT(found, Succeeds());
    ASSERT_TRUE(found->moment) << n;
    EXPECT_EQ(found->moment->now.number, n);
    EXPECT_EQ(found->moment->now.samples, frame(n).samples);
    EXPECT_EQ(found->moment->now.subjects, frame(n).subjects);
    ASSERT_TRUE(found->moment->before) << n;
    EXPECT_EQ(found->moment->before->number, n - 1);
    if (n < 700) EXPECT_EQ(found->next, kStart + (n + 1) * 1s) << n;
  }
  EXPECT_FALSE(from.frames_at(kStart + 1s)->moment->before);
  EXPECT_FALSE(from.frames_at(kStart)->moment);
  EXPECT_EQ(from.frames_at(kStart)->next, kStart + 1s);
  EXPECT_EQ(from.frames_at(kStart + 900s)->moment->now.number, 700U);
  EXPECT_FALSE(from.frames_at(kStart + 900s)->next);
}

TEST_F(History, IsReadWhileItIsRecorded) {
  Recorder to = recorder();
  for (std::uint64_t n = 1; n <= 345; ++n) ASSERT_THAT(to.add(frame(n)), Succeeds());
  EXPECT_EQ(at(kStart + 299s), 299);
  EXPECT_EQ(at(kStart + 333s), 333);
  EXPECT_GE(at(kStart + 345s), 340);  // the last ten seconds may be in memory only
}

TEST_F(History, KeepsAllButTheLastSecondsWhenItsRecorderIsKilled) {
  {
    Recorder killed = recorder();
    for (std::uint64_t n = 1; n <= 345; ++n) ASSERT_THAT(killed.add(frame(n)), Succeeds());
    ASSERT_THAT(killed.add_event(kStart + 345s, R"({"event":"oom_kill"})"), Succeeds());
  }
  Recorder next = recorder();
  EXPECT_GE(at(kStart + 345s), 335);
  EXPECT_EQ(reader().events_between(kStart, kStart + 1h)->size(), 1U);
  for (std::uint64_t n = 360; n <= 400; ++n) ASSERT_THAT(next.add(frame(n)), Succeeds());
  ASSERT_THAT(next.flush(), Succeeds());
  EXPECT_GE(at(kStart + 350s), 335);
  EXPECT_EQ(at(kStart + 400s), 400);
  EXPECT_EQ(reader().events_between(kStart, kStart + 1h)->size(), 1U);
}

TEST_F(History, LosesNothingButTheTailThatWasCutOffAtAnyByte) {
  {
    Recorder killed = recorder();
    for (std::uint64_t n = 1; n <= 25; ++n) ASSERT_THAT(killed.add(frame(n)), Succeeds());
    ASSERT_THAT(killed.add_event(kStart + 25s, "{}"), Succeeds());
  }
  const std::string journal = directory + "/journal";
  std::ifstream in(journal, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::int64_t last = at(kStart + 100s);
  EXPECT_GE(last, 20);
  for (std::size_t size = bytes.size(); size-- > 0;) {
    std::filesystem::resize_file(journal, size);
    const std::int64_t found = at(kStart + 100s);
    EXPECT_LE(found, last) << size;
    last = found;
    if (size % 64 != 0) continue;
    // The next recorder brings home just what could be read.
    {
      EXPECT_THAT(Recorder::open(directory), Succeeds()) << size;
    }
    EXPECT_EQ(at(kStart + 100s), found) << size;
    for (const std::string& segment : segments()) std::filesystem::remove(segment);
    std::ofstream(journal, std::ios::binary) << bytes.substr(0, size);
  }
  EXPECT_EQ(last, -1);
}

TEST_F(History, PassesOverWhatIsDamagedInASegment) {
  {
    Recorder to = recorder();
    for (std::uint64_t n = 1; n <= 900; ++n) ASSERT_THAT(to.add(frame(n)), Succeeds());
    ASSERT_THAT(to.flush(), Succeeds());
  }
  const std::string segment = segments().at(0);
  const auto whole = std::filesystem::file_size(segment);
  std::fstream(segment, std::ios::binary | std::ios::in | std::ios::out).seekp(-30, std::ios::end) << "xxxxx";
  EXPECT_EQ(std::filesystem::file_size(segment), whole);
  EXPECT_EQ(at(kStart + 900s), 600);
  EXPECT_EQ(at(kStart + 200s), 200);
  std::filesystem::resize_file(segment, whole - 1);
  EXPECT_EQ(at(kStart + 900s), 600);
}

TEST_F(History, NeverGrowsPastItsSize) {
  Recorder to = recorder({.most_bytes = kLeastRing});
  std::uint64_t random = 1, largest = 0;
  for (std::uint64_t n = 1; n <= 1500; ++n) {
    Frame noisy = frame(n);
    for (std::uint64_t id = 3; id < 20; ++id) {
      noisy.subjects.push_back({.container = {.name = "n"}, .cgroup_id = CgroupId(id)});
      Sample sample;
      for (std::size_t metric = 0; metric < kMetrics; ++metric)
        sample.set(static_cast<Metric>(metric),
                   (random = random * 6364136223846793005U + 1442695040888963407U) >> 40U);
      noisy.samples.push_back(sample);
    }
    ASSERT_THAT(to.add(noisy), Succeeds());
    if (n % 50 == 0) largest = std::max(largest, size());
  }
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_LE(std::max(largest, size()), kLeastRing);
  EXPECT_EQ(at(kStart + 1500s), 1500);
  EXPECT_EQ(at(kStart + 10s), -1);
}

TEST_F(History, GoesByTheWallClockAlsoWhereThatWasSet) {
  Recorder to = recorder();
  for (std::uint64_t n = 1; n <= 100; ++n) ASSERT_THAT(to.add(frame(n)), Succeeds());
  // Set back by 50 s, then forward by an hour.
  for (std::uint64_t n = 101; n <= 200; ++n) ASSERT_THAT(to.add(frame(n, kStart - 50s)), Succeeds());
  for (std::uint64_t n = 201; n <= 300; ++n) ASSERT_THAT(to.add(frame(n, kStart + 1h)), Succeeds());
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_EQ(at(kStart + 20s), 20);
  EXPECT_EQ(at(kStart + 60s), 110);  // both tell of it: what began last
  EXPECT_EQ(at(kStart + 140s), 190);
  EXPECT_EQ(at(kStart + 2000s), 200);
  EXPECT_EQ(at(kStart + 1h + 250s), 250);
  EXPECT_FALSE(reader().frames_at(kStart + 51s)->moment->before);
  EXPECT_EQ(segments().size(), 3U);
}

TEST_F(History, GoesOnAfterAReboot) {
  Recorder to = recorder();
  for (std::uint64_t n = 1000; n <= 1020; ++n) ASSERT_THAT(to.add(frame(n)), Succeeds());
  for (std::uint64_t n = 1; n <= 20; ++n) ASSERT_THAT(to.add(frame(n, kStart + 1100s)), Succeeds());
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_EQ(at(kStart + 1020s), 1020);
  const auto found = reader().frames_at(kStart + 1101s);
  EXPECT_EQ(found->moment->now.number, 1U);
  EXPECT_FALSE(found->moment->before) << "of another boot";
}

TEST_F(History, LeavesOutFramesThatFollowTooFast) {
  Recorder to = recorder();
  for (std::uint64_t n = 0; n < 100; ++n) {
    Frame fast = frame(n);
    fast.at = 1h + n * 100ms;
    fast.time = kStart + n * 100ms;
    ASSERT_THAT(to.add(fast), Succeeds());
  }
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_EQ(at(kStart + 5s), 50);
  EXPECT_EQ(at(kStart + 5900ms), 50);
}

TEST_F(History, KeepsEventsInTheirOrderAndByTheirTime) {
  Recorder to = recorder();
  for (int n = 0; n < 1000; ++n)
    ASSERT_THAT(to.add_event(kStart + n * 1s, "event " + std::to_string(n)), Succeeds());
  const auto some = reader().events_between(kStart + 100s, kStart + 103s);
  ASSERT_EQ(some->size(), 3U);
  EXPECT_EQ(some->front().line, "event 100");
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_EQ(reader().events_between(kStart + 100s, kStart + 103s), *some);
  EXPECT_EQ(reader().events_between(nanoseconds(0), nanoseconds::max())->size(), 1000U);
}

TEST_F(History, CountsWhatAFullDiskTookAndGoesOnWhenThereIsRoom) {
  Recorder to = recorder();
  ASSERT_THAT(to.add(frame(1)), Succeeds());
  ASSERT_THAT(to.flush(), Succeeds());
  const weir::testing::FullDisk disk;
  disk.fill(dir.path("history/lock"));
  std::uint64_t failures = 0;
  for (std::uint64_t n = 2; n <= 1000; ++n) failures += to.add(frame(n)) ? 0U : 1U;
  EXPECT_GT(failures, 10U);
  EXPECT_GT(to.lost(), 300U);
  disk.free();
  for (std::uint64_t n = 1001; n <= 1400; ++n) EXPECT_THAT(to.add(frame(n)), Succeeds());
  ASSERT_THAT(to.flush(), Succeeds());
  EXPECT_EQ(to.lost(), 0U);
  EXPECT_EQ(at(kStart + 1400s), 1400);
  const auto events = reader().events_between(kStart, kStart + 1h);
  ASSERT_EQ(events->size(), 1U);
  EXPECT_NE(events->front().line.find(R"("event":"lost","frames":)"), std::string::npos);
}

TEST_F(History, IsRecordedByOneOnly) {
  const Recorder first = recorder();
  EXPECT_THAT(Recorder::open(directory), HasError(ErrorKind::refused));
}

TEST_F(History, IsRefusedWhereOthersMayWrite) {
  std::filesystem::create_directory(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::all);
  EXPECT_THAT(Recorder::open(directory), HasError(ErrorKind::refused));
}

TEST_F(History, IsAbsentWhereNothingWasRecorded) {
  EXPECT_THAT(Reader::open(dir.path("nowhere")), HasError(ErrorKind::absent));
  EXPECT_THAT(Reader::open(dir.path()), HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::history
