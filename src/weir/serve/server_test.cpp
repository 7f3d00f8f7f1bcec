// SPDX-License-Identifier: MIT
// The server over real sockets, with both ends in this thread: what a client has sent is there at once.
#include "weir/serve/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support/temp_dir.h"
#include <array>
#include <cstring>
#include <deque>
#include <fstream>

namespace weir::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  Server open(ServerLimits limits = {}) {
    return Server::open(
               UnixAddress{path_}, clock_,
               [this](const Request& request) -> Reply {
                 ++requests_;
                 if (request.path != "/metrics") return {.status = 404, .body = {}};
                 return {.body = page_};
               },
               limits)
        .value();
  }
  Fd connect() {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    return fd;
  }
  static void say(const Fd& client, std::string_view bytes) {
    EXPECT_EQ(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// All that the client hears until the server has nothing more to do for it.
  static std::string hear(Server& server, const Fd& client) {
    std::string heard;
    std::array<char, 65536> buffer{};
    for (int idle = 0; idle < 10;) {
      server.serve();
      const ssize_t n = ::recv(client.get(), buffer.data(), buffer.size(), 0);
      if (n == 0) return heard + "<closed>";
      if (n < 0) ++idle;
      if (n > 0) heard.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return heard;
  }
  std::string ask(Server& server, std::string_view bytes) {
    const Fd client = connect();
    say(client, bytes);
    return hear(server, client);
  }

  testing::TempDir folder_;
  std::string path_ = folder_.path("metrics.sock");
  ManualClock clock_;
  std::shared_ptr<const std::string> page_ = std::make_shared<const std::string>("the page\n");
  int requests_ = 0;
};

TEST_F(ServerTest, AnswersAndCloses) {
  Server server = open();
  const std::string heard = ask(server, kGet);
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(heard, HasSubstr("\r\nContent-Length: 9\r\n"));
  EXPECT_THAT(heard, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(heard.ends_with("\r\n\r\nthe page\n<closed>")) << heard;
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  Server server = open();
  const std::string heard = ask(server, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(heard, HasSubstr("\r\nContent-Length: 9\r\n"));
  EXPECT_TRUE(heard.ends_with("\r\n\r\n<closed>")) << heard;
}

TEST_F(ServerTest, ARequestMayComeInPieces) {
  Server server = open();
  const Fd client = connect();
  for (const char c : kGet) {
    say(client, {&c, 1});
    server.serve();
  }
  EXPECT_THAT(hear(server, client), HasSubstr("the page"));
  EXPECT_EQ(requests_, 1);
}

TEST_F(ServerTest, RefusesWhatIsNoRequestOrTooLong) {
  Server server = open();
  EXPECT_THAT(ask(server, "hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(server, "GET /other HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask(server, "GET /" + std::string(9000, 'x')), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(requests_, 1);
}

TEST_F(ServerTest, ALargePageReachesASlowReaderWhole) {
  page_ = std::make_shared<const std::string>(std::string(std::size_t{2} << 20, '#'));
  Server server = open();
  const std::string heard = ask(server, kGet);
  EXPECT_EQ(std::ranges::count(heard, '#'), std::ptrdiff_t{2} << 20);
  EXPECT_TRUE(heard.ends_with("#<closed>"));
}

TEST_F(ServerTest, WhoDoesNotAskInTimeIsSentAway) {
  Server server = open();
  const Fd client = connect();
  server.serve();
  for (int n = 0; n < 4; ++n) {  // a byte now and then gains nothing
    clock_.tick(1s);
    say(client, "G");
    server.serve();
    EXPECT_EQ(server.connections(), 1U);
  }
  clock_.tick(1s);
  server.serve();
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(ServerTest, WhoDoesNotReadInTimeIsSentAway) {
  page_ = std::make_shared<const std::string>(std::string(std::size_t{2} << 20, '#'));
  Server server = open();
  const Fd client = connect();
  say(client, kGet);
  server.serve();
  server.serve();
  clock_.tick(9s);
  server.serve();
  EXPECT_EQ(server.connections(), 1U);
  clock_.tick(1s);
  server.serve();
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(ServerTest, SilentClientsCannotKeepOthersOut) {
  Server server = open({.connections = 4});
  std::deque<Fd> silent;
  for (int n = 0; n < 12; ++n) {
    silent.push_back(connect());
    server.serve();
    EXPECT_LE(server.connections(), 4U);
  }
  EXPECT_THAT(ask(server, kGet), HasSubstr("the page"));
}

TEST_F(ServerTest, WhoIsBeingAnsweredIsNotPushedOut) {
  page_ = std::make_shared<const std::string>(std::string(std::size_t{2} << 20, '#'));
  Server server = open({.connections = 2});
  const Fd first = connect(), second = connect();
  say(first, kGet);
  say(second, kGet);
  server.serve();
  server.serve();
  const Fd third = connect();
  say(third, kGet);
  server.serve();
  EXPECT_EQ(server.connections(), 2U);
  EXPECT_TRUE(hear(server, first).ends_with("#<closed>"));
  EXPECT_TRUE(hear(server, second).ends_with("#<closed>"));
  EXPECT_TRUE(hear(server, third).ends_with("#<closed>"));
}

TEST_F(ServerTest, AClientThatGoesAwayIsForgotten) {
  Server server = open();
  connect().reset();
  server.serve();
  server.serve();
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(ServerTest, TheSocketIsForTheGroupAndGoneAtTheEnd) {
  {
    const Server server = open();
    struct stat st{};
    ASSERT_EQ(::stat(path_.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777U, 0660U);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ServerTest, ReplacesASocketThatNobodyServes) {
  {
    const Fd stale(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(stale.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  Server server = open();
  EXPECT_THAT(ask(server, kGet), HasSubstr("the page"));
}

TEST_F(ServerTest, LeavesWhatAnotherServesAndWhatIsNoSocket) {
  const auto nothing = [](const Request&) { return Reply{}; };
  {
    Server server = open();
    const auto other = Server::open(UnixAddress{path_}, clock_, nothing);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::refused);
    EXPECT_THAT(ask(server, kGet), HasSubstr("the page"));
  }
  std::ofstream(path_) << "precious";
  EXPECT_FALSE(Server::open(UnixAddress{path_}, clock_, nothing));
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(ServerTest, RefusesAFolderThatOthersCanWriteTo) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  EXPECT_FALSE(Server::open(UnixAddress{path_}, clock_, [](const Request&) { return Reply{}; }));
}

TEST_F(ServerTest, ListensOnTheLoopbackAtAPortThatTheKernelChose) {
  const Server server = Server::open(LoopbackAddress{}, clock_, [this](const Request&) {
                          return Reply{.body = page_};
                        }).value();
  const auto port = std::get<LoopbackAddress>(server.address()).port;
  ASSERT_NE(port, 0);
  const Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  EXPECT_FALSE(Server::open(LoopbackAddress{.port = port}, clock_, [](const Request&) { return Reply{}; }));
}

}  // namespace
}  // namespace weir::serve
