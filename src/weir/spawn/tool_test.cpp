// SPDX-License-Identifier: MIT
#include "weir/spawn/tool.h"

#include "support/result_matchers.h"
#include <cerrno>
#include <cstdlib>

namespace weir::spawn {
namespace {

using std::chrono::seconds;
using weir::testing::HasError;
using weir::testing::HasValue;

TEST(RunTool, ReturnsStandardOutput) {
  EXPECT_THAT(run_tool({"/bin/echo", "a b", "c"}, seconds(30)), HasValue(std::string("a b c\n")));
}

TEST(RunTool, FailsWithTheLastLineOfStandardError) {
  const auto failed = run_tool({"/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3"}, seconds(30));
  ASSERT_THAT(failed, HasError(ErrorKind::failed));
  EXPECT_EQ(failed.error().what, "last");
}

TEST(RunTool, GivesACleanEnvironment) {
  setenv("WEIR_SECRET", "x", 1);
  const auto environment = run_tool({"/usr/bin/env"}, seconds(30));
  unsetenv("WEIR_SECRET");
  ASSERT_TRUE(environment.has_value());
  EXPECT_EQ(environment->find("WEIR_SECRET"), std::string::npos);
}

TEST(RunTool, EndsAToolThatTakesTooLong) {
  const auto late = run_tool({"/bin/sleep", "1000"}, seconds(0));
  ASSERT_THAT(late, HasError(ErrorKind::failed));
  EXPECT_EQ(late.error().err, ETIMEDOUT);
}

TEST(RunTool, IsAbsentWithoutTheProgram) {
  EXPECT_THAT(run_tool({"/nonexistent/tool"}, seconds(30)), HasError(ErrorKind::absent));
}

TEST(FindTool, FindsByTheUsualFolders) { EXPECT_TRUE(find_tool("sh").has_value()); }
TEST(FindTool, IsAbsentForAnUnknownName) {
  EXPECT_THAT(find_tool("no-such-tool"), HasError(ErrorKind::absent));
}

volatile sig_atomic_t seen = 0;

TEST(Interrupts, HoldASignalBackUntilTheEnd) {
  struct sigaction old{};
  struct sigaction count{};
  count.sa_handler = [](int) { seen = seen + 1; };
  sigaction(SIGINT, &count, &old);
  {
    Interrupts interrupts;
    raise(SIGINT);
    EXPECT_TRUE(Interrupts::pending());
    interrupts.put_aside();
    EXPECT_FALSE(Interrupts::pending());
    EXPECT_EQ(seen, 0);
  }
  EXPECT_EQ(seen, 1);
  sigaction(SIGINT, &old, nullptr);
}

}  // namespace
}  // namespace weir::spawn
