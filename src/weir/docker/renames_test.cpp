// SPDX-License-Identifier: MIT
#include "weir/docker/renames.h"

#include <gtest/gtest.h>

#include "support/fake_daemon.h"
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace weir::docker {
namespace {

using testing::FakeDaemon;
using Then = FakeDaemon::Then;
using namespace std::chrono_literals;

constexpr const char* kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

bool comes(Renames& renames) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    if (renames.take()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST(Renames, AskForRenamesAloneAndTellThatTheyAreConnected) {
  std::string asked;
  {
    const FakeDaemon daemon([&](std::string_view request) {
      asked = request;
      return FakeDaemon::Reply{kHead, Then::keep};
    });
    const ManualClock clock;
    Renames renames(daemon.socket(), clock);
    EXPECT_TRUE(comes(renames));
    EXPECT_FALSE(renames.take());
  }
  EXPECT_TRUE(asked.starts_with("GET /events?filters=")) << asked;
  EXPECT_NE(asked.find("rename"), std::string::npos);
}

TEST(Renames, TryAgainWhereNobodyListensOnlyAfterAPause) {
  ManualClock clock;
  auto daemon =
      std::make_unique<FakeDaemon>([](std::string_view) { return FakeDaemon::Reply{"x", Then::close}; });
  Renames renames(daemon->socket(), clock);
  EXPECT_TRUE(comes(renames));
  while (daemon->connections() == 0) std::this_thread::sleep_for(1ms);
  for (int n = 0; n < 100; ++n) (void)renames.take();
  EXPECT_EQ(daemon->connections(), 1);
  clock.tick(11s);
  EXPECT_TRUE(comes(renames));
  EXPECT_EQ(daemon->connections(), 2);
  daemon.reset();
  clock.tick(11s);
  EXPECT_FALSE(renames.take());
}

TEST(Renames, TakeABoundedShareOfAStreamWithoutEnd) {
  const FakeDaemon daemon(
      [](std::string_view) { return FakeDaemon::Reply{std::string(100'000, 'x'), Then::drip}; });
  const ManualClock clock;
  Renames renames(daemon.socket(), clock);
  EXPECT_TRUE(comes(renames));
  EXPECT_TRUE(comes(renames));  // each call came back
}

TEST(Renames, AreNeverToldWithoutASocket) {
  const ManualClock clock;
  Renames renames("/nonexistent/docker.sock", clock);
  EXPECT_FALSE(renames.take());
  Renames endless(std::string(5000, 'x'), clock);
  EXPECT_FALSE(endless.take());
}

}  // namespace
}  // namespace weir::docker
