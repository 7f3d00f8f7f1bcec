// SPDX-License-Identifier: MIT
#include "weir/systemd/bus.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/result_matchers.h"
#include <cstring>
#include <filesystem>

#include "weir/base/fd.h"

namespace weir::systemd {
namespace {

using testing::HasError;

struct TempDir {
  std::string path;
  TempDir() {
    char name[] = "/tmp/weir-bus-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
};

TEST(IsRunning, AsksForTheDirectoryThatSystemdMakes) {
  const TempDir dir;
  HostPaths paths;
  paths.host_root = dir.path;
  EXPECT_FALSE(is_running(paths));
  std::filesystem::create_directories(dir.path + "/run/systemd/system");
  EXPECT_TRUE(is_running(paths));
}

TEST(BusConnect, IsAbsentWithoutTheLibrary) {
  const auto bus = Bus::connect({.soname = "libsystemd-none.so.0"});
  ASSERT_THAT(bus, HasError(ErrorKind::absent));
  EXPECT_EQ(bus.error().what, "libsystemd-none.so.0 cannot be loaded, so systemd cannot be asked");
}

TEST(BusConnect, NamesTheFunctionThatAnotherLibraryLacks) {
  const auto bus = Bus::connect({.soname = "libm.so.6"});
  ASSERT_THAT(bus, HasError(ErrorKind::absent));
  EXPECT_NE(bus.error().what.find("it has no sd_bus"), std::string::npos) << bus.error().what;
}

TEST(BusConnect, IsAbsentWithoutABus) {
  const TempDir dir;
  const auto bus = Bus::connect({.addresses = {"unix:path=" + dir.path + "/none"}});
  ASSERT_THAT(bus, HasError(ErrorKind::absent));
  EXPECT_FALSE(bus.error().hint.empty());
}

TEST(BusConnect, GivesUpOnABusThatNeverAnswers) {
  const TempDir dir;
  const std::string path = dir.path + "/bus";
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 4), 0);
  const auto bus =
      Bus::connect({.addresses = {"unix:path=" + path}, .timeout = std::chrono::milliseconds(20)});
  EXPECT_THAT(bus, HasError(ErrorKind::failed));
}

}  // namespace
}  // namespace weir::systemd
