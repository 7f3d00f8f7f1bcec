// SPDX-License-Identifier: MIT
#include "weir/limits/stay_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <array>

namespace weir::limits {
namespace {

using testing::HasError;
using testing::Succeeds;

TEST(StayLock, IsNobodysWhereNoGuardRuns) {
  const testing::TempDir dir;
  EXPECT_EQ(find_staying(dir.path("run"), Stay::guard), std::nullopt);
  EXPECT_THAT(take_stay_lock(dir.path("run"), Stay::guard), Succeeds());
  EXPECT_EQ(find_staying(dir.path("run"), Stay::guard), std::nullopt);
}

TEST(StayLock, AnotherProcessIsRefusedAndNamedUntilItEnds) {
  const testing::TempDir dir;
  std::array<int, 2> ready{}, end{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(end.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = take_stay_lock(dir.path("run"), Stay::guard);
    char byte = lock ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(end[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(find_staying(dir.path("run"), Stay::guard), Pid(child));
  EXPECT_THAT(take_stay_lock(dir.path("run"), Stay::guard), HasError(ErrorKind::refused));
  EXPECT_THAT(take_stay_lock(dir.path("run"), Stay::control), Succeeds());
  ASSERT_EQ(::write(end[1], "", 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(take_stay_lock(dir.path("run"), Stay::guard), Succeeds());
  for (const int fd : {ready[0], ready[1], end[0], end[1]}) ::close(fd);
}

}  // namespace
}  // namespace weir::limits
