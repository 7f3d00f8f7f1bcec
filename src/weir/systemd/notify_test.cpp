// SPDX-License-Identifier: MIT
// What is sent to the service manager and to the journal, received by a socket in this process.
#include "weir/systemd/notify.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include <array>
#include <cstdlib>
#include <cstring>

#include "weir/systemd/journal.h"

namespace weir::systemd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

/// A datagram socket, and what came in.
class Mailbox {
 public:
  Mailbox() {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  std::vector<std::string> take() {
    std::vector<std::string> all;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n < 0) return all;
      all.emplace_back(buffer.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  testing::TempDir folder_;
  std::string path_ = folder_.path("socket");
  Fd socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST(Notifier, TellsWhenItIsReadyWhatItDoesAndThatItStops) {
  Mailbox manager;
  auto notifier = Notifier::open(manager.path(), 0s);
  ASSERT_TRUE(notifier);
  notifier->ready("watching 2");
  notifier->status("watching 2");
  notifier->status("a\nWATCHDOG=1");
  notifier->stopping();
  EXPECT_THAT(manager.take(),
              ElementsAre("READY=1", "STATUS=watching 2", "STATUS=a WATCHDOG=1", "STOPPING=1"));
}

TEST(Notifier, TellsTheWatchdogOfProgressButNotEachTime) {
  Mailbox manager;
  auto notifier = Notifier::open(manager.path(), 20s);
  notifier->progress(100s);
  notifier->progress(101s);
  notifier->progress(104s);
  EXPECT_THAT(manager.take(), ElementsAre("WATCHDOG=1"));
  notifier->progress(105s);
  EXPECT_THAT(manager.take(), ElementsAre("WATCHDOG=1"));
}

TEST(Notifier, WithoutAWatchdogSaysNothingOfProgress) {
  Mailbox manager;
  auto notifier = Notifier::open(manager.path(), 0s);
  notifier->progress(100s);
  EXPECT_THAT(manager.take(), IsEmpty());
}

TEST(Notifier, TakesTheVariablesOutOfTheEnvironment) {
  const Mailbox manager;
  ::setenv("NOTIFY_SOCKET", manager.path().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "20000000", 1);
  EXPECT_TRUE(Notifier::from_environment());
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  EXPECT_FALSE(Notifier::from_environment());
}

TEST(Notifier, AManagerThatIsGoneIsNoFailure) {
  auto notifier = Notifier::open("/nonexistent/socket", 20s);
  ASSERT_TRUE(notifier);
  notifier->ready("x");
  EXPECT_FALSE(Notifier::open("", 0s));
  EXPECT_FALSE(Notifier::open("vsock:1:2", 0s));
}

TEST(EncodeJournalEntry, AValueWithANewlineIsSentWithItsLength) {
  const JournalField fields[] = {{"MESSAGE", "web: started"}, {"CONTAINER_NAME", "a\nPRIORITY=0"}};
  const std::string expected =
      std::string("MESSAGE=web: started\nCONTAINER_NAME\n\x0c\0\0\0\0\0\0\0", 44) + "a\nPRIORITY=0\n";
  EXPECT_EQ(encode_journal_entry(fields), expected);
}

TEST(Journal, SendsOneDatagramAnEntryAndSaysWhenNobodyIsThere) {
  Mailbox box;
  const JournalField fields[] = {{"MESSAGE", "web: started"}, {"PRIORITY", "6"}};
  EXPECT_THAT(Journal::open(box.path())->send(fields), testing::Succeeds());
  EXPECT_THAT(box.take(), ElementsAre("MESSAGE=web: started\nPRIORITY=6\n"));
  EXPECT_THAT(Journal::open("/nonexistent/socket")->send(fields), testing::HasError(ErrorKind::absent));
}

}  // namespace
}  // namespace weir::systemd
