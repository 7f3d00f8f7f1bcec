// SPDX-License-Identifier: MIT
#include "weir/systemd/datagram.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace weir::systemd {

Result<Fd> open_datagram_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return std::unexpected(errno_error(errno, "datagram socket", "open"));
  return fd;
}

Result<void> send_datagram(const Fd& socket, const std::string& path, std::string_view bytes) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path)
    return std::unexpected(make_error(ErrorKind::invalid, path, "is no path of a socket"));
  std::memcpy(name.sun_path, path.data(), path.size());
  if (path.front() == '@') name.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path.front() == '@' ? 0 : 1));
  ssize_t sent = 0;
  do
    sent = ::sendto(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                    reinterpret_cast<const sockaddr*>(&name), size);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  Error error = errno_error(errno, path, "send");
  if (error.err == ECONNREFUSED) error.kind = ErrorKind::absent;
  return std::unexpected(std::move(error));
}

}  // namespace weir::systemd
