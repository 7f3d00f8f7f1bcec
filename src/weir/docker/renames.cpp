// SPDX-License-Identifier: MIT
#include "weir/docker/renames.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace weir::docker {
namespace {

constexpr std::chrono::seconds kPause{10};
/// filters={"type":["container"],"event":["rename"]}
constexpr std::string_view kRequest =
    "GET /events?filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22rename%22%5D%7D "
    "HTTP/1.1\r\n"
    "Host: docker\r\nUser-Agent: weir\r\n\r\n";

}  // namespace

void Renames::connect() {
  again_ = clock_.monotonic() + kPause;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const ssize_t sent = ::send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(kRequest.size())) stream_ = std::move(fd);
}

bool Renames::take() {
  if (!stream_.valid() && clock_.monotonic() >= again_) connect();
  bool came = false;
  std::array<char, 4096> bytes{};
  // What a daemon sends without an end waits for the next call.
  for (int times = 0; stream_.valid() && times < 16; ++times) {
    const ssize_t size = ::recv(stream_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) {
      came = true;
    } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
      stream_.reset();
    } else if (errno == EAGAIN) {
      break;
    }
  }
  return came;
}

}  // namespace weir::docker
