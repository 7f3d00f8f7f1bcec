// SPDX-License-Identifier: MIT
#include "weir/proc/process.h"

#include <unistd.h>

#include "support/result_matchers.h"

namespace weir::proc {
namespace {

using testing::HasError;
using testing::HasValue;
using testing::Succeeds;

TEST(CgroupPath, IsTheUnifiedLine) {
  EXPECT_THAT(parse_cgroup_path("0::/system.slice/web.service\n"), HasValue("/system.slice/web.service"));
  EXPECT_THAT(parse_cgroup_path("12:cpu:/x\n1:name=systemd:/y\n0::/\n"), HasValue("/"));
  EXPECT_THAT(parse_cgroup_path("0::/a b\\n"), HasValue("/a b\\n"));
}

TEST(CgroupPath, TellsApartWhatIsWrong) {
  EXPECT_THAT(parse_cgroup_path(""), HasError(ErrorKind::absent));
  EXPECT_THAT(parse_cgroup_path("4:memory:/x\n"), HasError(ErrorKind::absent));
  EXPECT_THAT(parse_cgroup_path("0::/web (deleted)\n"), HasError(ErrorKind::gone));
  EXPECT_THAT(parse_cgroup_path("0::/../web\n"), HasError(ErrorKind::invalid));
  EXPECT_THAT(parse_cgroup_path("0::web\n"), HasError(ErrorKind::failed));
}

constexpr std::string_view kAfterComm = " S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";

TEST(Stat, GivesCommParentAndStart) {
  const auto process = parse_stat("4242 (nginx)" + std::string(kAfterComm));
  ASSERT_THAT(process, Succeeds());
  EXPECT_EQ(process->pid, Pid(4242));
  EXPECT_EQ(process->parent, Pid(1));
  EXPECT_EQ(process->comm, "nginx");
  EXPECT_EQ(process->start, StartTicks(987654));
}

TEST(Stat, TellsThreadsOfTheKernel) {
  EXPECT_FALSE(parse_stat("4242 (nginx)" + std::string(kAfterComm))->kernel);
  EXPECT_TRUE(parse_stat("7 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 3 0\n")->kernel);
}

TEST(Stat, IsNotFooledByAComm) {
  const auto process = parse_stat("4242 (a) S 7 (b\n)" + std::string(kAfterComm));
  ASSERT_THAT(process, Succeeds());
  EXPECT_EQ(process->comm, "a) S 7 (b\n");
  EXPECT_EQ(process->parent, Pid(1));
}

TEST(Stat, RefusesWhatIsCutOrNoNumber) {
  for (const std::string_view text :
       {"", "4242", "4242 (nginx", "4242 nginx) S", "4242 (nginx) S 1", ")(", "x (a) S 1 1 1 1",
        "99999999999 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22",
        "1 (a) S -1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"})
    EXPECT_THAT(parse_stat(text), HasError(ErrorKind::failed)) << text;
}

TEST(StatusUid, IsTheRealUser) {
  EXPECT_THAT(parse_status_uid("Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t1\t1\t1\t1\n"), HasValue(1000U));
}

TEST(StatusUid, RefusesWhatIsNoUid) {
  for (const std::string_view text :
       {"", "Uid:\n", "Uid:\t1\t2\n", "Uid:\tx\t0\t0\t0\n", "Uid:\t99999999999\t0\t0\t0\n"})
    EXPECT_THAT(parse_status_uid(text), HasError(ErrorKind::failed)) << text;
}

TEST(Anonymous, IsResidentLessShared) {
  EXPECT_THAT(parse_anonymous("4000 300 100 10 0 500 0\n", Bytes(4096)), HasValue(Bytes(200 * 4096)));
  EXPECT_THAT(parse_anonymous("4000 100 300 10 0 500 0\n", Bytes(4096)), HasValue(Bytes(0)));
  for (const char* bad : {"", "1 2", "1 x 3", "1 18446744073709551615 3"})
    EXPECT_THAT(parse_anonymous(bad, Bytes(4096)), HasError(ErrorKind::failed)) << bad;
}

TEST(ReadProcess, FindsThisOne) {
  const auto process = read_process("/proc", Pid(::getpid()));
  ASSERT_THAT(process, Succeeds());
  EXPECT_EQ(process->parent, Pid(::getppid()));
  EXPECT_EQ(process->uid, ::getuid());
}

TEST(ReadProcess, SaysGoneForAPidThatIsNotThere) {
  EXPECT_THAT(read_process("/proc", Pid(2'147'483'600)), HasError(ErrorKind::gone));
  EXPECT_THAT(read_cgroup_path("/proc", Pid(2'147'483'600)), HasError(ErrorKind::gone));
}

}  // namespace
}  // namespace weir::proc
