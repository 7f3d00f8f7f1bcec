// SPDX-License-Identifier: MIT
#include "weir/proc/pid_fd.h"

#include <sys/wait.h>
#include <unistd.h>

#include "support/result_matchers.h"
#include <csignal>

namespace weir::proc {
namespace {

using testing::HasError;
using testing::Succeeds;

TEST(PidFd, SaysGoneForAPidThatIsNotThere) {
  EXPECT_THAT(PidFd::open(Pid(2'147'483'600)), HasError(ErrorKind::gone));
}

TEST(PidFd, FollowsAProcessToItsEnd) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (;;) ::pause();
  }
  const auto held = PidFd::open(Pid(child));
  ASSERT_THAT(held, Succeeds());
  EXPECT_TRUE(held->alive());
  EXPECT_THAT(held->send_signal(SIGKILL), Succeeds());
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(held->alive());
  EXPECT_THAT(held->send_signal(0), HasError(ErrorKind::gone));
}

}  // namespace
}  // namespace weir::proc
