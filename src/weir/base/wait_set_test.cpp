// SPDX-License-Identifier: MIT
#include "weir/base/wait_set.h"

#include <gmock/gmock.h>
#include <sys/eventfd.h>

namespace weir {
namespace {

using std::chrono::nanoseconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A moment that is over: wait() looks and comes back.
constexpr nanoseconds kPast{0};

class WaitSetTest : public ::testing::Test {
 protected:
  void fire() const { ASSERT_EQ(::eventfd_write(event_.get(), 1), 0); }
  Fd event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  WaitSet set_ = WaitSet::open().value();
};

TEST_F(WaitSetTest, TellsTheNumberOfWhatIsReady) {
  ASSERT_TRUE(set_.add(event_.get(), EPOLLIN, 7));
  EXPECT_THAT(set_.wait(kPast), IsEmpty());
  fire();
  const auto ready = set_.wait(kPast);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].number, 7U);
  EXPECT_NE(ready[0].events & EPOLLIN, 0U);
}

TEST_F(WaitSetTest, WhatIsWaitedForOnceIsToldAgainOnlyAfterRearm) {
  ASSERT_TRUE(set_.add(event_.get(), EPOLLIN | EPOLLONESHOT, 7));
  fire();
  EXPECT_THAT(set_.wait(kPast), SizeIs(1));
  EXPECT_THAT(set_.wait(kPast), IsEmpty());
  set_.rearm(event_.get(), EPOLLIN | EPOLLONESHOT, 7);
  EXPECT_THAT(set_.wait(kPast), SizeIs(1));
}

TEST_F(WaitSetTest, AFileThatIsClosedIsWaitedForNoMore) {
  ASSERT_TRUE(set_.add(event_.get(), EPOLLIN, 7));
  fire();
  event_.reset();
  EXPECT_THAT(set_.wait(kPast), IsEmpty());
}

TEST_F(WaitSetTest, RefusesWhatCannotBeWaitedFor) { EXPECT_FALSE(set_.add(-1, EPOLLIN, 7)); }

}  // namespace
}  // namespace weir
