// SPDX-License-Identifier: MIT
#include "weir/limits/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <csignal>
#include <filesystem>
#include <fstream>

#include "weir/base/file.h"

namespace weir::limits {
namespace {

using testing::HasError;
using testing::HasValue;
using testing::Succeeds;

constexpr const char* kBoot = "boot-1";

Change change(std::uint64_t epoch, Phase phase = Phase::done) {
  return {.id = {.epoch = epoch, .index = 0},
          .phase = phase,
          .target = "web",
          .cgroup = "/web",
          .cgroup_id = CgroupId(7),
          .before = {cgroup::Knob::cpu_weight, "", std::to_string(epoch)},
          .after = {cgroup::Knob::cpu_weight, "", std::to_string(epoch + 1)}};
}

class JournalTest : public ::testing::Test {
 protected:
  [[nodiscard]] Journal open(JournalOptions options = {}) const {
    auto journal = Journal::open(run_dir(), kBoot, std::move(options));
    EXPECT_THAT(journal, Succeeds());
    return std::move(*journal);
  }
  void fill(std::uint64_t epochs) const {
    Journal journal = open();
    for (std::uint64_t n = 1; n <= epochs; ++n) EXPECT_THAT(journal.append(change(n)), Succeeds());
  }
  [[nodiscard]] History history() const {
    auto read = read_history(run_dir(), kBoot);
    EXPECT_THAT(read, Succeeds());
    return std::move(*read);
  }
  [[nodiscard]] std::string run_dir() const { return dir_.path("run"); }
  [[nodiscard]] std::string file() const { return run_dir() + "/limits.journal"; }
  [[nodiscard]] std::string bytes() const { return *read_file(file()); }
  void put(const std::string& text) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
  }

  testing::TempDir dir_;
};

TEST_F(JournalTest, IsEmptyWhereThereIsNone) {
  EXPECT_TRUE(history().changes.empty());
  EXPECT_EQ(open().next_epoch(), 1U);
}

TEST_F(JournalTest, KeepsChangesAndRaisesTheEpoch) {
  fill(3);
  EXPECT_EQ(history().changes.size(), 3U);
  EXPECT_EQ(history().changes[2], change(3));
  EXPECT_EQ(open().next_epoch(), 4U);
}

TEST_F(JournalTest, CanBeReadByItsGroupAndWrittenByItsOwnerOnly) {
  fill(1);
  struct stat st{};
  ASSERT_EQ(::stat(file().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U & ~0640U, 0U);
}

TEST_F(JournalTest, KnowsTheEpochThoughTheLastRecordIsOfAnOldChange) {
  fill(50);
  {
    Journal journal = open();
    for (std::uint64_t n = 50; n >= 1; --n) EXPECT_THAT(journal.append(change(n, Phase::undone)), Succeeds());
  }
  EXPECT_EQ(open().next_epoch(), 51U);
}

TEST_F(JournalTest, TornAtEveryByteLosesOnlyTheTornRecordAndTakesNewOnes) {
  fill(3);
  const std::string whole = bytes();
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    put(whole.substr(0, length));
    const History torn = parse_journal(whole.substr(0, length), kBoot);
    ASSERT_LE(torn.damaged, 1U) << length;
    Journal journal = open();
    ASSERT_THAT(journal.append(change(9)), Succeeds()) << length;
    const History after = *journal.read();
    ASSERT_EQ(after.changes.size(), torn.changes.size() + 1) << length;
    ASSERT_EQ(after.changes.back(), change(9)) << length;
    ASSERT_EQ(after.damaged, torn.damaged) << length;
  }
}

TEST_F(JournalTest, ACorruptRecordCostsOnlyItself) {
  fill(3);
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char garbage : {'\0', '\n', '\xff'}) {
      if (whole[at] == garbage) continue;
      std::string corrupt = whole;
      corrupt[at] = garbage;
      const History history = parse_journal(corrupt, kBoot);
      ASSERT_GE(history.damaged, 1U) << at;
      // The newline between two records joins them: both are lost.
      ASSERT_GE(history.changes.size(), whole[at] == '\n' ? 1U : 2U) << at;
    }
  }
}

TEST_F(JournalTest, GarbageAloneIsDamageAndTakesNewRecords) {
  fill(0);
  put(std::string(100'000, '\0') + "\n\n\xff\xfe garbage");
  {
    Journal journal = open();
    EXPECT_EQ(journal.next_epoch(), 1U);
    EXPECT_THAT(journal.append(change(1)), Succeeds());
  }
  EXPECT_EQ(history().changes.size(), 1U);
  EXPECT_EQ(history().damaged, 2U);
}

TEST_F(JournalTest, AnotherBootIsIgnoredAndPutAside) {
  fill(5);
  auto journal = Journal::open(run_dir(), "boot-2");
  ASSERT_THAT(journal, Succeeds());
  EXPECT_EQ(journal->next_epoch(), 1U);
  EXPECT_TRUE(journal->read()->changes.empty());
  EXPECT_TRUE(std::filesystem::exists(file() + ".old"));
}

TEST_F(JournalTest, TheOldestRecordsAreMergedWhenTheCapIsReached) {
  Journal journal = open({.cap = 64 * 1024});
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    ASSERT_THAT(journal.append(change(n, Phase::intent)), Succeeds());
    ASSERT_THAT(journal.append(change(n, Phase::done)), Succeeds());
  }
  EXPECT_LE(std::filesystem::file_size(file()), 64U * 1024);
  History history = *journal.read();
  EXPECT_EQ(history.changes.front().before.text, "1");
  EXPECT_EQ(history.changes.back(), change(2000));
  for (std::size_t n = 1; n < history.changes.size(); ++n)
    ASSERT_EQ(history.changes[n].before, history.changes[n - 1].after);
  EXPECT_EQ(journal.next_epoch(), 2001U);
}

TEST_F(JournalTest, AJournalFullOfChangesInForceTakesNoMore) {
  Journal journal = open({.cap = 32 * 1024});
  Result<void> last;
  std::uint64_t n = 0;
  while (last && n < 10'000) {
    Change one = change(++n);
    one.cgroup_id = CgroupId(n);
    last = journal.append(one);
  }
  ASSERT_THAT(last, HasError(ErrorKind::failed));
  EXPECT_EQ(journal.read()->changes.size(), n - 1);
}

TEST_F(JournalTest, WhatEndedIsDroppedWhenTheCapIsReached) {
  Journal journal =
      open({.cap = 32 * 1024, .alive = [](const Change& one) { return one.cgroup_id > CgroupId(900); }});
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    Change one = change(n);
    one.cgroup_id = CgroupId(n);
    ASSERT_THAT(journal.append(one), Succeeds()) << n;
  }
}

TEST_F(JournalTest, AFullDiskAddsNothing) {
  fill(2);
  const std::string before = bytes();
  // In a child: the limit on file sizes is the process's own, and stands for the disk's end in the middle of
  // a record.
  for (std::size_t room = 0; room < 300; room += 7) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{.rlim_cur = before.size() + room, .rlim_max = RLIM_INFINITY};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      auto journal = Journal::open(run_dir(), kBoot);
      Change big = change(3);
      big.reason = std::string(300, 'x');
      ::_exit(journal && !journal->append(big) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << room;
    ASSERT_EQ(bytes(), before) << room;
  }
}

TEST_F(JournalTest, WritersWaitForEachOther) {
  constexpr int kWriters = 4;
  constexpr std::uint64_t kChanges = 50;
  for (int writer = 0; writer < kWriters; ++writer) {
    if (::fork() != 0) continue;
    for (std::uint64_t n = 0; n < kChanges; ++n) {
      auto journal = Journal::open(run_dir(), kBoot);
      if (!journal || !journal->append(change(journal->next_epoch()))) ::_exit(1);
    }
    ::_exit(0);
  }
  for (int writer = 0; writer < kWriters; ++writer) {
    int status = 0;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(history().changes.size(), kWriters * kChanges);
  EXPECT_EQ(history().damaged, 0U);
}

TEST_F(JournalTest, AHeldLockIsToldAfterPatienceEnds) {
  const Journal first = open();
  EXPECT_THAT(Journal::open(run_dir(), kBoot, {.lock_wait = std::chrono::milliseconds(0)}),
              HasError(ErrorKind::failed));
}

TEST_F(JournalTest, ADirectoryThatOthersCanWriteIsRefused) {
  fill(1);
  ::chmod(run_dir().c_str(), 0777);
  EXPECT_THAT(Journal::open(run_dir(), kBoot), HasError(ErrorKind::refused));
  EXPECT_THAT(read_history(run_dir(), kBoot), HasError(ErrorKind::refused));
}

TEST_F(JournalTest, AFileThatOthersCanWriteOrThatIsALinkIsRefused) {
  fill(1);
  ::chmod(file().c_str(), 0666);
  EXPECT_THAT(Journal::open(run_dir(), kBoot), HasError(ErrorKind::refused));
  EXPECT_THAT(read_history(run_dir(), kBoot), HasError(ErrorKind::refused));
  std::filesystem::rename(file(), dir_.path("elsewhere"));
  std::filesystem::create_symlink(dir_.path("elsewhere"), file());
  EXPECT_FALSE(Journal::open(run_dir(), kBoot).has_value());
  EXPECT_FALSE(read_history(run_dir(), kBoot).has_value());
}

TEST_F(JournalTest, ARecordInTheMakingIsNoDamage) {
  fill(2);
  const Journal writer = open();
  put(bytes() + "half a rec");
  EXPECT_EQ(history().damaged, 0U);
  EXPECT_EQ(history().changes.size(), 2U);
}

TEST_F(JournalTest, KnowsTheLastRecordOfAPlace) {
  Journal journal = open();
  EXPECT_THAT(journal.last(place(change(1))), HasValue(std::optional<Change>()));
  Change other = change(2);
  other.cgroup_id = CgroupId(8);
  Change undone = change(1, Phase::undone);
  for (const Change& one : {change(1), other, undone, other}) ASSERT_THAT(journal.append(one), Succeeds());
  EXPECT_THAT(journal.last(place(undone)), HasValue(std::optional(undone)));
  EXPECT_THAT(journal.last(place(other)), HasValue(std::optional(other)));
}

TEST_F(JournalTest, TwoWritersThatTakeTurnsSeeEachOthersEpochs) {
  Journal first = open();
  ASSERT_THAT(first.append(change(1)), Succeeds());
  first.unlock();
  {
    Journal second = open({.lock_wait = std::chrono::milliseconds(0)});
    EXPECT_THAT(second.append(change(second.next_epoch())), Succeeds());
  }
  ASSERT_THAT(first.lock(), Succeeds());
  EXPECT_EQ(first.next_epoch(), 3U);
  ASSERT_THAT(first.append(change(3)), Succeeds());
  EXPECT_EQ(history().changes.size(), 3U);
}

TEST_F(JournalTest, AWriterThatTakesTurnsFindsAShorterJournal) {
  Journal first = open();
  ASSERT_THAT(first.append(change(1)), Succeeds());
  first.unlock();
  {
    Journal second = open({.cap = 16384});  // compacts again and again: the file is another one afterwards
    for (std::uint64_t n = 2; n < 200; ++n) ASSERT_THAT(second.append(change(n)), Succeeds());
  }
  ASSERT_THAT(first.lock(), Succeeds());
  ASSERT_THAT(first.append(change(first.next_epoch())), Succeeds());
  EXPECT_EQ(history().changes.back(), change(200));
}

TEST_F(JournalTest, AppendsManyChangesAtOnce) {
  Journal journal = open();
  const std::vector<Change> changes = {change(1), change(2), change(3)};
  const std::vector<const Change*> pointers = {&changes[0], &changes[1], &changes[2]};
  ASSERT_THAT(journal.append(pointers), Succeeds());
  EXPECT_EQ(history().changes, changes);
  EXPECT_EQ(journal.next_epoch(), 4U);
}

}  // namespace
}  // namespace weir::limits
