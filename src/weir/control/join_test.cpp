// SPDX-License-Identifier: MIT
// Joining, with a process of our own and a made-up /proc that says of it what each case needs.
#include "weir/control/join.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fake_cgroupfs.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <csignal>
#include <filesystem>
#include <fstream>

namespace weir::control {
namespace {

using testing::FakeCgroupfs;
using testing::HasError;
using testing::Succeeds;

class JoinTest : public ::testing::Test {
 protected:
  JoinTest() : child_(::fork()) {
    if (child_ == 0) {
      for (;;) ::pause();
    }
    std::filesystem::create_directories(file(""));
    says("/user.slice");
    std::ofstream(file("status")) << "Uid:\t0\t0\t0\t0\n";
  }
  ~JoinTest() override { end(); }

  void end() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return tree_.path(fmt::format("{}/{}", pid().count(), name));
  }
  void says(const std::string& cgroup, unsigned start = 100, unsigned flags = 0) const {
    std::ofstream(file("cgroup")) << "0::" << cgroup << "\n";
    std::ofstream(file("stat")) << fmt::format(
        "{} (batch job) S 1 1 1 0 -1 {} 1 2 3 4 5 6 7 8 20 0 1 0 {} 1\n", pid().count(), flags, start);
  }
  [[nodiscard]] Pid pid() const { return Pid(first_); }
  Result<Joining> open(Pid pid) { return Joining::open(paths_, *root_, pid); }

  testing::TempDir tree_;
  HostPaths paths_{.proc = tree_.path(), .host_root = tree_.path()};
  FakeCgroupfs fs_{{"demo", {}}};
  std::unique_ptr<cgroup::Dir> root_ = fs_.root();
  pid_t child_, first_ = child_;
};

TEST_F(JoinTest, WritesTheProcessIntoTheCgroup) {
  const auto joining = open(pid());
  ASSERT_THAT(joining, Succeeds());
  EXPECT_EQ(joining->comm(), "batch job");
  EXPECT_EQ(joining->from(), "/user.slice");
  const auto dir = fs_.dir("demo");
  EXPECT_THAT(joining->join(*dir), Succeeds());
  EXPECT_EQ(fs_.get("demo", "cgroup.procs"), fmt::format("{}\n", pid().count()));
}

TEST_F(JoinTest, RefusesInitKernelThreadsAndItself) {
  EXPECT_THAT(open(Pid(1)), HasError(ErrorKind::refused));
  EXPECT_THAT(open(Pid(::getpid())), HasError(ErrorKind::refused));
  says("/", 100, 0x0020'8040);
  EXPECT_THAT(open(pid()), HasError(ErrorKind::refused));
}

TEST_F(JoinTest, RefusesWhatKeepsTheHostReachable) {
  says("/system.slice/ssh.service");
  EXPECT_THAT(open(pid()), HasError(ErrorKind::refused));
}

TEST_F(JoinTest, AProcessThatHasEndedIsGone) {
  const auto joining = open(pid());
  ASSERT_THAT(joining, Succeeds());
  end();
  const auto dir = fs_.dir("demo");
  EXPECT_THAT(joining->join(*dir), HasError(ErrorKind::gone));
  EXPECT_EQ(fs_.get("demo", "cgroup.procs"), "");
  EXPECT_THAT(open(pid()), HasError(ErrorKind::gone));
}

TEST_F(JoinTest, ANumberThatAnotherProcessHasByNowIsNotWritten) {
  const auto joining = open(pid());
  ASSERT_THAT(joining, Succeeds());
  says("/user.slice", 101);
  const auto dir = fs_.dir("demo");
  EXPECT_THAT(joining->join(*dir), HasError(ErrorKind::gone));
}

TEST_F(JoinTest, AnotherProcessThatWasMovedInItsPlaceIsTold) {
  const auto joining = open(pid());
  ASSERT_THAT(joining, Succeeds());
  fs_.before_write([&](std::string_view, std::string_view, std::string_view) {
    end();
    says("/demo", 101);
  });
  const auto dir = fs_.dir("demo");
  EXPECT_THAT(joining->join(*dir), HasError(ErrorKind::failed));
}

}  // namespace
}  // namespace weir::control
