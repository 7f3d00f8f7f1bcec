// SPDX-License-Identifier: MIT
#include "support/fake_daemon.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "weir/base/text.h"

namespace weir::testing {
namespace {

/// Reads a request's head and, where Content-Length says so, its body. Empty when the client has gone.
std::string read_request(int fd) {
  std::string request;
  char buffer[4096];
  for (;;) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end != std::string::npos) {
      std::size_t body = 0;
      if (const std::size_t at = request.find("Content-Length: "); at < end)
        body = parse_u64(std::string_view(request).substr(at + 16, request.find('\r', at) - at - 16))
                   .value_or(0);
      if (request.size() >= end + 4 + body) return request;
    }
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return {};
    request.append(buffer, static_cast<std::size_t>(n));
  }
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

FakeDaemon::FakeDaemon(Handler handler) : handler_(std::move(handler)) {
  char name[] = "/tmp/weir-daemon-XXXXXX";
  WEIR_ASSERT(::mkdtemp(name) != nullptr);
  directory_ = name;
  listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  stop_ = Fd(::eventfd(0, EFD_CLOEXEC));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket().c_str(), socket().size() + 1);
  WEIR_ASSERT(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  WEIR_ASSERT(::listen(listener_.get(), 8) == 0);
  thread_ = std::thread([this] { serve(); });
}

FakeDaemon::~FakeDaemon() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

FakeDaemon::Reply FakeDaemon::json(int status, std::string_view body) {
  return {fmt::format("HTTP/1.1 {} Said\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                      status, body.size(), body)};
}

void FakeDaemon::serve() {
  std::vector<Fd> clients;
  for (;;) {
    std::vector<pollfd> polls = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Fd& client : clients) polls.push_back({client.get(), POLLIN, 0});
    if (::poll(polls.data(), polls.size(), -1) < 0) continue;
    if (polls[0].revents != 0) return;
    for (std::size_t i = 0; i < clients.size(); ++i)
      if (polls[i + 2].revents != 0 && !answer(clients[i].get())) clients[i].reset();
    std::erase_if(clients, [](const Fd& client) { return !client.valid(); });
    if (polls[1].revents != 0) {
      clients.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
    }
  }
}

bool FakeDaemon::answer(int fd) {
  const std::string request = read_request(fd);
  if (request.empty()) return false;
  ++requests_;
  const Reply reply = handler_(request);
  if (reply.then == Then::drip) {
    drip(fd, reply.bytes);
    return false;
  }
  send_all(fd, reply.bytes);
  return reply.then == Then::keep;
}

void FakeDaemon::drip(int fd, std::string_view bytes) {
  for (std::size_t i = 0;; i = (i + 1) % bytes.size()) {
    if (::send(fd, bytes.data() + i, 1, MSG_NOSIGNAL) != 1) return;
    pollfd polls[] = {{stop_.get(), POLLIN, 0}, {fd, POLLRDHUP, 0}};
    if (::poll(polls, 2, 1) > 0) return;
  }
}

}  // namespace weir::testing
