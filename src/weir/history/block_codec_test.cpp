// SPDX-License-Identifier: MIT
// Frames to a block and back: every value exactly, read times to their tick.
#include "weir/history/block_codec.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>

namespace weir::history {
namespace {

using namespace std::chrono_literals;

Subject subject(std::uint64_t id) {
  return {.container = {.name = "c" + std::to_string(id), .cgroup = "/c" + std::to_string(id)},
          .cgroup_id = CgroupId(id)};
}

Frame frame(std::uint64_t number, std::initializer_list<std::uint64_t> ids) {
  Frame made{.number = number,
             .at = 1h + number * 1s,
             .time = 500'000h + number * 1s,
             .generation = 7,
             .host = {},
             .subjects = {},
             .samples = {}};
  for (const std::uint64_t id : ids) {
    made.subjects.push_back(subject(id));
    made.samples.emplace_back();
  }
  return made;
}

std::string joined(const std::vector<std::string>& pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), std::string());
}

struct Block {
  SubjectTable table;
  std::string bytes;
};
Block block_of(const std::vector<Frame>& frames) {
  BlockBuilder builder;
  for (const Frame& each : frames) builder.add(each);
  Block block;
  block.bytes = joined(builder.finish(block.table));
  return block;
}

/// By cgroup id, since the order of subjects is not kept; read times apart, since they are rounded.
void expect_same(const Frame& was, const Frame& is) {
  EXPECT_EQ(was.number, is.number);
  EXPECT_EQ(was.at, is.at);
  EXPECT_EQ(was.time, is.time);
  EXPECT_EQ(was.generation, is.generation);
  ASSERT_EQ(was.subjects.size(), is.subjects.size());
  const auto same_sample = [](const Sample& a, const Sample& b) {
    EXPECT_EQ(a.values, b.values);
    EXPECT_EQ(a.known, b.known);
    for (std::size_t n = 0; n < kSources; ++n) {
      EXPECT_EQ(a.read_at[n] == 0, b.read_at[n] == 0);
      EXPECT_LE(std::abs(a.read_at[n] - b.read_at[n]), kReadTick.count() / 2);
    }
  };
  same_sample(was.host, is.host);
  for (std::size_t n = 0; n < was.subjects.size(); ++n) {
    const Sample* found = is.find(was.subjects[n].cgroup_id);
    ASSERT_NE(found, nullptr);
    same_sample(was.samples[n], *found);
    EXPECT_NE(std::ranges::find(is.subjects, was.subjects[n]), is.subjects.end());
  }
}

void expect_round_trip(const std::vector<Frame>& frames) {
  const Block block = block_of(frames);
  const auto back = decode_frames(block.bytes, block.table);
  ASSERT_TRUE(back) << back.error().message();
  ASSERT_EQ(back->size(), frames.size());
  for (std::size_t n = 0; n < frames.size(); ++n) expect_same(frames[n], (*back)[n]);
}

TEST(Block, KeepsFramesWithoutContainers) { expect_round_trip({frame(1, {}), frame(2, {}), frame(3, {})}); }

TEST(Block, KeepsOneFrame) { expect_round_trip({frame(9, {1, 2})}); }

TEST(Block, KeepsEveryWayToKnow) {
  std::vector<Frame> frames;
  for (std::uint64_t n = 0; n < 8; ++n) {
    frames.push_back(frame(n, {1}));
    for (std::size_t metric = 0; metric < kMetrics; ++metric)
      frames.back().samples[0].set(static_cast<Metric>(metric), metric * n,
                                   static_cast<Known>((metric + n) % 4));
  }
  expect_round_trip(frames);
}

TEST(Block, KeepsCountersThatGoBackAndTheLargestNumbers) {
  std::vector<Frame> frames;
  const std::array<std::uint64_t, 6> values = {5, UINT64_MAX, 0, UINT64_MAX / 2, UINT64_MAX / 2 + 2, 4096};
  for (std::uint64_t n = 0; n < values.size(); ++n) {
    frames.push_back(frame(n, {1}));
    for (std::size_t metric = 0; metric < kMetrics; ++metric)
      frames.back().samples[0].set(static_cast<Metric>(metric), values[(n + metric) % values.size()]);
  }
  expect_round_trip(frames);
}

TEST(Block, KeepsContainersThatComeAndGo) {
  expect_round_trip(
      {frame(1, {1, 2}), frame(2, {2, 3}), frame(3, {3, 1}), frame(4, {}), frame(5, {2, 1, 3})});
}

TEST(Block, KeepsWhatAContainerIsCalledFromWhenOnItIsSo) {
  std::vector<Frame> frames = {frame(1, {1}), frame(2, {1}), frame(3, {1})};
  frames[1].subjects[0].container.labels["tier"] = "db";
  ++frames[1].generation;
  frames[2].subjects[0] = frames[1].subjects[0];
  frames[2].generation = frames[1].generation;
  expect_round_trip(frames);
}

TEST(Block, KeepsHostileNames) {
  std::vector<Frame> frames = {frame(1, {1})};
  Container& c = frames[0].subjects[0].container;
  c.name = std::string("\x1b[2J\0\xff\n", 7);
  c.labels = {{"", std::string(60'000, '\x80')}, {"\xe2\x80\xae", "x"}};
  const Block block = block_of(frames);
  const auto subjects = decode_subjects(encode_subjects(block.table.subjects()));
  ASSERT_THAT(subjects, weir::testing::Succeeds());
  EXPECT_EQ(*subjects, frames[0].subjects);
}

TEST(Block, KeepsNoiseAndReadTimes) {
  std::mt19937_64 random(1);
  std::vector<Frame> frames;
  Sample one, two;
  for (std::uint64_t n = 0; n < 50; ++n) {
    frames.push_back(frame(n, {1, 2}));
    Frame& now = frames.back();
    std::int64_t read = now.at.count();
    for (Sample* sample : {&now.host, &one, &two})
      for (std::size_t source = 0; source < kSources; ++source)
        sample->read_at[source] =
            random() % 9 == 0 ? 0 : read += static_cast<std::int64_t>(random() % 300'000);
    for (Sample* sample : {&one, &two}) {
      for (std::size_t metric = 0; metric < kMetrics; ++metric)
        sample->set(static_cast<Metric>(metric), sample->values[metric] + random() % (1U << metric % 31));
      sample->set(Metric::cpu_system,
                  sample->values[index(Metric::cpu_usage)] - sample->values[index(Metric::cpu_user)] - n % 2);
      sample->set(Metric::memory_current, (random() % 1000) * 4096);
    }
    now.samples = {one, two};
  }
  expect_round_trip(frames);
  const Block block = block_of(frames);
  for (const std::size_t at : {0, 1, 30, 48, 49, 50}) {  // as a reader that wants two of them
    const auto two_frames = decode_frames(block.bytes, block.table, at, 2);
    ASSERT_THAT(two_frames, weir::testing::Succeeds());
    ASSERT_EQ(two_frames->size(), std::min<std::size_t>(2, 50 - at));
    for (std::size_t n = 0; n < two_frames->size(); ++n) expect_same(frames[at + n], (*two_frames)[n]);
  }
}

TEST(Block, IsRefusedWhereItIsCutOrGoesOn) {
  const Block block = block_of({frame(1, {1, 2}), frame(2, {1})});
  for (std::size_t size = 0; size < block.bytes.size(); ++size)
    EXPECT_FALSE(decode_frames(block.bytes.substr(0, size), block.table)) << size;
  EXPECT_FALSE(decode_frames(block.bytes + "x", block.table));
  EXPECT_FALSE(decode_frames(block.bytes, SubjectTable())) << "of containers that no one knows";
}

TEST(Block, StopsAtItsMostFrames) {
  BlockBuilder builder;
  for (std::uint64_t n = 0; n < kMostFrames + 2; ++n) builder.add(frame(n, {}));
  EXPECT_EQ(builder.frames(), kMostFrames);
}

}  // namespace
}  // namespace weir::history
