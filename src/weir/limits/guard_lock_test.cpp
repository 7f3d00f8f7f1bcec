// SPDX-License-Identifier: MIT
#include "weir/limits/guard_lock.h"

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

TEST(GuardLock, IsNobodysWhereNoGuardRuns) {
  const testing::TempDir dir;
  EXPECT_EQ(find_guard(dir.path("run")), std::nullopt);
  EXPECT_THAT(take_guard_lock(dir.path("run")), Succeeds());
  EXPECT_EQ(find_guard(dir.path("run")), std::nullopt);
}

TEST(GuardLock, AnotherProcessIsRefusedAndNamedUntilItEnds) {
  const testing::TempDir dir;
  std::array<int, 2> ready{}, end{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(end.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = take_guard_lock(dir.path("run"));
    char byte = lock ? 'y' : 'n';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(end[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_EQ(find_guard(dir.path("run")), Pid(child));
  EXPECT_THAT(take_guard_lock(dir.path("run")), HasError(ErrorKind::refused));
  ASSERT_EQ(::write(end[1], "", 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_THAT(take_guard_lock(dir.path("run")), Succeeds());
  for (const int fd : {ready[0], ready[1], end[0], end[1]}) ::close(fd);
}

}  // namespace
}  // namespace weir::limits
