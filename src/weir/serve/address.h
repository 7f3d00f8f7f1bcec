// SPDX-License-Identifier: MIT
#pragma once
// Address: where metrics are served: a unix socket or a port of the loopback. There is no way to say any
// other one.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "weir/base/error.h"

namespace weir::serve {

struct UnixAddress {
  std::string path;
  bool operator==(const UnixAddress&) const = default;
};
struct LoopbackAddress {
  enum class Family : std::uint8_t { ipv4, ipv6 };
  Family family = Family::ipv4;
  std::uint16_t port = 0;  ///< 0: the kernel chooses
  bool operator==(const LoopbackAddress&) const = default;
};
using Address = std::variant<UnixAddress, LoopbackAddress>;

/// "unix:PATH", or what has a '/'; "127.0.0.1:PORT", "[::1]:PORT", "localhost:PORT". Errors: invalid: no
/// address, or not of the loopback.
Result<Address> parse_address(std::string_view text);
/// "unix:/run/weir/metrics.sock", "http://127.0.0.1:9717/metrics".
std::string to_string(const Address& address);

}  // namespace weir::serve
