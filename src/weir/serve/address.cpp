// SPDX-License-Identifier: MIT
#include "weir/serve/address.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <optional>

#include "weir/base/text.h"

namespace weir::serve {
namespace {

constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_u64(text);
  if (!port || *port > UINT16_MAX) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

Result<Address> unix_address(std::string_view path, std::string_view text) {
  if (path.empty() || path.ends_with('/') || path.find('\0') != std::string_view::npos)
    return std::unexpected(make_error(ErrorKind::invalid, text, "is no path of a socket"));
  if (path.size() > kLongestPath)
    return std::unexpected(
        make_error(ErrorKind::invalid, text,
                   fmt::format("is longer than the {} bytes of a unix socket's path", kLongestPath)));
  return UnixAddress{std::string(path)};
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return unix_address(text.substr(kUnix.size()), text);
  if (text.find('/') != std::string_view::npos && text.find("://") == std::string_view::npos)
    return unix_address(text, text);
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port)
    return std::unexpected(make_error(ErrorKind::invalid, text, "is no address to serve metrics at",
                                      "say 127.0.0.1:PORT, [::1]:PORT or the path of a unix socket"));
  const std::string_view host = text.substr(0, colon);
  if (host == "127.0.0.1" || host == "localhost")
    return LoopbackAddress{LoopbackAddress::Family::ipv4, *port};
  if (host == "[::1]") return LoopbackAddress{LoopbackAddress::Family::ipv6, *port};
  return std::unexpected(make_error(
      ErrorKind::invalid, text,
      "is not on this host alone: metrics tell what runs here, and whoever reaches the port could read them",
      fmt::format(
          "serve them at 127.0.0.1:{} and let an agent on this host (Prometheus in agent mode, Grafana "
          "Alloy) or a reverse proxy that asks who is there take them further",
          *port)));
}

std::string to_string(const Address& address) {
  if (const auto* socket = std::get_if<UnixAddress>(&address)) return fmt::format("unix:{}", socket->path);
  const auto& loopback = std::get<LoopbackAddress>(address);
  return fmt::format("http://{}:{}/metrics",
                     loopback.family == LoopbackAddress::Family::ipv4 ? "127.0.0.1" : "[::1]", loopback.port);
}

}  // namespace weir::serve
