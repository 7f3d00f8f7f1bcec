// SPDX-License-Identifier: MIT
#include "weir/serve/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "weir/base/file.h"

namespace weir::serve {
namespace {

constexpr int kBacklog = 16;
constexpr mode_t kFolderMode = 0755, kSocketMode = 0660;

sockaddr_un unix_name(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());  // parse_address() saw that it fits
  return name;
}

/// Whether somebody accepts connections there.
bool answers(const sockaddr_un& name) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe.valid() &&
         (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ||
          errno == EAGAIN);
}

}  // namespace

Result<Listener> Listener::open(const Address& address) {
  Listener listener(address);
  if (auto* socket = std::get_if<UnixAddress>(&listener.address_))
    WEIR_CHECK(listener.open_unix(*socket));
  else
    WEIR_CHECK(listener.open_loopback(std::get<LoopbackAddress>(listener.address_)));
  if (::listen(listener.fd(), kBacklog) != 0)
    return std::unexpected(errno_error(errno, to_string(address), "listen"));
  return listener;
}

Listener::~Listener() {
  if (folder_.valid() && !name_.empty()) ::unlinkat(folder_.get(), name_.c_str(), 0);
}

Result<void> Listener::open_unix(const UnixAddress& address) {
  const std::string& path = address.path;
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  WEIR_TRY(folder_, open_private_directory(slash == std::string::npos ? "."
                                           : slash == 0               ? "/"
                                                                      : path.substr(0, slash),
                                           kFolderMode));
  lock_ = Fd(::openat(folder_.get(), (name + ".lock").c_str(),
                      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!lock_.valid()) return std::unexpected(errno_error(errno, path + ".lock", "open"));
  const sockaddr_un address_name = unix_name(path);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 || answers(address_name))
    return std::unexpected(make_error(ErrorKind::refused, path, "another process serves there",
                                      "stop it, or choose another path"));
  struct stat old{};
  if (::fstatat(folder_.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISSOCK(old.st_mode) || old.st_uid != ::geteuid())
      return std::unexpected(
          make_error(ErrorKind::refused, path, "is there already, and is no socket of ours"));
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0)
      return std::unexpected(errno_error(errno, path, "remove"));
  }
  socket_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) return std::unexpected(errno_error(errno, path, "socket"));
  // Its mode until the chmod: what is set here, less the umask.
  if (::fchmod(socket_.get(), kSocketMode) != 0 ||
      ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address_name), sizeof address_name) != 0)
    return std::unexpected(errno_error(errno, path, "bind"));
  name_ = name;
  if (::fchmodat(folder_.get(), name.c_str(), kSocketMode, 0) != 0)
    return std::unexpected(errno_error(errno, path, "chmod"));
  return {};
}

Result<void> Listener::open_loopback(LoopbackAddress& address) {
  const bool v4 = address.family == LoopbackAddress::Family::ipv4;
  sockaddr_storage name{};
  socklen_t size = 0;
  if (v4) {
    auto& in = reinterpret_cast<sockaddr_in&>(name);
    in = {.sin_family = AF_INET,
          .sin_port = htons(address.port),
          .sin_addr = {htonl(INADDR_LOOPBACK)},
          .sin_zero = {}};
    size = sizeof in;
  } else {
    auto& in = reinterpret_cast<sockaddr_in6&>(name);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_addr = in6addr_loopback;
    size = sizeof in;
  }
  const std::string text = to_string(address);
  socket_ = Fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.valid()) return std::unexpected(errno_error(errno, text, "socket"));
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto* const raw = reinterpret_cast<sockaddr*>(&name);
  if (::bind(socket_.get(), raw, size) != 0 || ::getsockname(socket_.get(), raw, &size) != 0) {
    Error error = errno_error(errno, text, "metrics cannot be served");
    if (error.err == EADDRINUSE) error.hint = "another process has the port: choose another one, or stop it";
    return std::unexpected(std::move(error));
  }
  address.port = ntohs(v4 ? reinterpret_cast<sockaddr_in&>(name).sin_port
                          : reinterpret_cast<sockaddr_in6&>(name).sin6_port);
  return {};
}

}  // namespace weir::serve
