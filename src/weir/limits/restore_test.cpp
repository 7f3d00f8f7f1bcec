// SPDX-License-Identifier: MIT
#include "weir/limits/restore.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

#include "weir/base/fd.h"
#include "weir/base/file.h"

namespace weir::limits {
namespace {

using testing::HasError;
using testing::Succeeds;

TEST(Guardian, RunsInASessionOfItsOwnAwayFromTheTerminal) {
  const testing::TempDir dir;
  // A fifo lets the test wait for the guardian without sleeping: reading ends when its only writer is done.
  const std::string fifo = dir.path("fifo");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::string script =
      "exec >" + fifo + "; echo $(cut -d' ' -f6 /proc/self/stat) $(readlink /proc/$$/fd/0) \"$@\"";
  ASSERT_THAT(
      start_guardian(
          {.name = "x", .argv = {"/bin/sh", "-c", script, "sh"}, .after = std::chrono::microseconds(5)}),
      Succeeds());
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC));
  const auto said = read_all(reader.get(), fifo);
  ASSERT_THAT(said, Succeeds());
  EXPECT_NE(said->find("/dev/null --after-us 5"), std::string::npos) << *said;
  EXPECT_FALSE(said->starts_with(std::to_string(::getsid(0)) + " ")) << *said;
}

TEST(Guardian, SaysWhenTheProgramCannotBeStarted) {
  EXPECT_THAT(
      start_guardian({.name = "x", .argv = {"/nonexistent/weir"}, .after = std::chrono::microseconds(5)}),
      HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::limits
