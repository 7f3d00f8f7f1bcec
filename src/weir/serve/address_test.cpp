// SPDX-License-Identifier: MIT
#include "weir/serve/address.h"

#include <gmock/gmock.h>

#include "support/result_matchers.h"

namespace weir::serve {
namespace {

using testing::HasError;
using testing::HasValue;
using Family = LoopbackAddress::Family;

TEST(ParseAddress, TakesPathsAndTheLoopback) {
  const std::pair<const char*, Address> good[] = {
      {"unix:/run/weir/metrics.sock", UnixAddress{"/run/weir/metrics.sock"}},
      {"unix:metrics.sock", UnixAddress{"metrics.sock"}},
      {"/run/weir/metrics.sock", UnixAddress{"/run/weir/metrics.sock"}},
      {"./metrics.sock", UnixAddress{"./metrics.sock"}},
      {"127.0.0.1:9717", LoopbackAddress{Family::ipv4, 9717}},
      {"localhost:9717", LoopbackAddress{Family::ipv4, 9717}},
      {"[::1]:0", LoopbackAddress{Family::ipv6, 0}},
  };
  for (const auto& [text, address] : good) EXPECT_THAT(parse_address(text), HasValue(address)) << text;
}

TEST(ParseAddress, RefusesEveryAddressThatOthersCanReach) {
  for (const char* text :
       {"0.0.0.0:9717", ":9717", "*:9717", "[::]:9717", "192.168.1.2:9717", "example.org:9717", "::1:9717",
        "127.0.0.1.example.org:80", "localhost.example.org:80", "127.1:80"}) {
    const auto address = parse_address(text);
    EXPECT_THAT(address, HasError(ErrorKind::invalid)) << text;
    if (!address) EXPECT_NE(address.error().hint, "") << text;
  }
}

TEST(ParseAddress, RefusesWhatIsNoAddress) {
  const std::string long_path = "/" + std::string(200, 'x');
  for (const std::string& text :
       {std::string(), std::string("9717"), std::string("127.0.0.1"), std::string("127.0.0.1:"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:-1"), std::string("unix:"),
        std::string("/run/"), std::string("http://127.0.0.1:1"), long_path, std::string("/a\0b", 4)})
    EXPECT_THAT(parse_address(text), HasError(ErrorKind::invalid)) << text;
}

TEST(ToString, SaysWhereToAsk) {
  EXPECT_EQ(to_string(UnixAddress{"/run/m"}), "unix:/run/m");
  EXPECT_EQ(to_string(LoopbackAddress{Family::ipv4, 80}), "http://127.0.0.1:80/metrics");
  EXPECT_EQ(to_string(LoopbackAddress{Family::ipv6, 80}), "http://[::1]:80/metrics");
}

}  // namespace
}  // namespace weir::serve
