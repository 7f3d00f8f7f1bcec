// SPDX-License-Identifier: MIT
#include "weir/sample/board.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <atomic>
#include <fstream>
#include <thread>

#include "weir/sample/frame_codec.h"

namespace weir::sample {
namespace {

using testing::HasError;
using testing::Succeeds;

/// Every value of a frame is its number, so that a torn one is seen.
Frame frame(std::uint64_t number, std::size_t containers) {
  Frame frame{.number = number, .at = std::chrono::nanoseconds(number), .generation = containers};
  frame.host.values.fill(number);
  frame.host.known.fill(Known::measured);
  for (std::size_t n = 0; n < containers; ++n) {
    Container container{.name = "c" + std::to_string(n), .cgroup = "/c" + std::to_string(n)};
    container.labels["tier"] = "web\n\xff";
    frame.subjects.push_back({.container = container, .cgroup_id = CgroupId(n + 1)});
    frame.samples.push_back(frame.host);
  }
  return frame;
}

void expect_same(const Frame& got, const Frame& wanted) {
  EXPECT_EQ(got.number, wanted.number);
  EXPECT_EQ(got.at, wanted.at);
  EXPECT_EQ(got.generation, wanted.generation);
  EXPECT_EQ(got.host, wanted.host);
  EXPECT_EQ(got.subjects, wanted.subjects);
  EXPECT_EQ(got.samples, wanted.samples);
}

class BoardTest : public ::testing::Test {
 protected:
  testing::TempDir run_;
  Fd directory_ = Fd(::open(run_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
};

TEST(FrameCodec, GivesBackWhatItTookAndRefusesAnythingShorter) {
  const Frame wanted = frame(7, 3);
  std::string bytes;
  encode_frame(wanted, bytes);
  auto got = decode_frame(bytes);
  ASSERT_THAT(got, Succeeds());
  expect_same(*got, wanted);
  for (std::size_t size = 0; size < bytes.size(); size += 3)
    EXPECT_FALSE(decode_frame(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(decode_frame(bytes + "x"));
}

TEST_F(BoardTest, ShowsTheNewestFrameOnce) {
  Board board = Board::create(directory_).value();
  BoardReader reader = BoardReader::open(run_.path()).value();
  EXPECT_FALSE(reader.read().value()) << "nothing yet";
  for (const std::uint64_t number : {1U, 2U, 3U, 4U, 5U, 6U})
    EXPECT_THAT(board.publish(frame(number, 2)), Succeeds());
  expect_same(**reader.read(), frame(6, 2));
  EXPECT_FALSE(reader.read().value()) << "no newer one";
}

TEST_F(BoardTest, AFrameThatDoesNotFitMovesTheBoardAndReadersFollow) {
  Board board = Board::create(directory_).value();
  BoardReader reader = BoardReader::open(run_.path()).value();
  EXPECT_THAT(board.publish(frame(1, 2000)), Succeeds());
  EXPECT_THAT(reader.read(), HasError(ErrorKind::gone));
  reader = BoardReader::open(run_.path()).value();
  expect_same(**reader.read(), frame(1, 2000));
}

TEST_F(BoardTest, ReadersAreToldThatTheWriterEnded) {
  auto board = std::make_unique<Board>(Board::create(directory_).value());
  EXPECT_THAT(board->publish(frame(1, 1)), Succeeds());
  BoardReader reader = BoardReader::open(run_.path()).value();
  board.reset();
  EXPECT_TRUE(reader.read().value()) << "the last frame is still there";
  EXPECT_THAT(reader.read(), HasError(ErrorKind::gone));
  EXPECT_THAT(BoardReader::open(run_.path()), HasError(ErrorKind::absent));
}

TEST_F(BoardTest, IsNotBelievedWhereOthersCouldHaveWrittenIt) {
  const Board board = Board::create(directory_).value();
  ::chmod(run_.path("frames").c_str(), 0666);
  EXPECT_THAT(BoardReader::open(run_.path()), HasError(ErrorKind::refused));
}

TEST_F(BoardTest, WhatIsNoBoardIsRefused) {
  for (const std::size_t size : {0U, 8U, 64U, 4096U}) {
    std::ofstream(run_.path("frames")) << std::string(size, 'x');
    ::chmod(run_.path("frames").c_str(), 0640);
    EXPECT_THAT(BoardReader::open(run_.path()), HasError(ErrorKind::failed)) << size;
  }
}

TEST_F(BoardTest, NoFrameIsTornHoweverFastTheyCome) {
  Board board = Board::create(directory_).value();
  ASSERT_THAT(board.publish(frame(1, 20)), Succeeds());
  std::atomic<bool> over = false;
  std::thread reader([&] {
    BoardReader mine = BoardReader::open(run_.path()).value();
    for (std::uint64_t last = 0; !over;) {
      const auto read = mine.read();
      if (!read || !*read) continue;  // overtaken again and again is no frame
      ASSERT_GT((*read)->number, last);
      last = (*read)->number;
      expect_same(**read, frame(last, 20));
    }
  });
  for (std::uint64_t number = 2; number < 400; ++number)
    ASSERT_THAT(board.publish(frame(number, 20)), Succeeds());
  over = true;
  reader.join();
}

}  // namespace
}  // namespace weir::sample
