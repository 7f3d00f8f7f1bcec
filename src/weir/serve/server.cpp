// SPDX-License-Identifier: MIT
#include "weir/serve/server.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace weir::serve {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kListener = 0;
/// For what the client still sends after its answer; without reading that, closing would take the answer
/// back.
constexpr nanoseconds kLeaving = std::chrono::seconds(1);
/// After accept() failed (no more files).
constexpr nanoseconds kDeaf = std::chrono::seconds(1);
constexpr std::size_t kAtOnce = std::size_t{256} << 10;

std::string_view reason(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

Reply refusal(unsigned status) {
  return {.status = status, .body = std::make_shared<const std::string>(fmt::format("{}\n", reason(status)))};
}

}  // namespace

Result<Server> Server::open(const Address& address, const Clock& clock, Handler handler,
                            ServerLimits limits) {
  WEIR_TRY(Listener listener, Listener::open(address));
  Server server(std::move(listener), clock, std::move(handler), limits);
  server.poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  struct epoll_event event{.events = EPOLLIN, .data = {.u64 = kListener}};
  if (!server.poll_.valid() ||
      ::epoll_ctl(server.poll_.get(), EPOLL_CTL_ADD, server.listener_.fd(), &event) != 0)
    return std::unexpected(errno_error(errno, to_string(address), "poll"));
  return server;
}

void Server::hear(bool listening) {
  if (hearing_ == listening) return;
  hearing_ = listening;
  struct epoll_event event{.events = listening ? EPOLLIN : 0U, .data = {.u64 = kListener}};
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, listener_.fd(), &event);
}

void Server::serve() {
  std::array<struct epoll_event, 32> events{};
  const int ready = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int n = 0; n < ready; ++n) {
    const std::uint64_t serial = events.at(static_cast<std::size_t>(n)).data.u64;
    if (serial == kListener) {
      accept();
    } else if (const auto found = connections_.find(serial);
               found != connections_.end() && !go_on(serial, found->second)) {
      connections_.erase(found);
    }
  }
  const nanoseconds now = clock_->monotonic();
  std::erase_if(connections_, [&](const auto& each) { return now >= each.second.until; });
  if (now >= deaf_until_ && (connections_.size() < limits_.connections || disposable() != connections_.end()))
    hear(true);
}

void Server::accept() {
  for (std::size_t n = 0; n < limits_.connections; ++n) {
    const bool full = connections_.size() >= limits_.connections;
    const auto oldest = disposable();
    if (full && oldest == connections_.end()) return hear(false);
    Fd fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
      if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
      deaf_until_ = clock_->monotonic() + kDeaf;
      return hear(false);
    }
    if (full) connections_.erase(oldest);
    const std::uint64_t serial = ++last_;
    struct epoll_event event{.events = EPOLLIN, .data = {.u64 = serial}};
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) continue;
    Connection& connection = connections_[serial];
    connection.fd = std::move(fd);
    connection.until = clock_->monotonic() + limits_.asking;
    // It may have asked already: then no later one pushes it out.
    if (!go_on(serial, connection)) connections_.erase(serial);
  }
}

/// The oldest connection that has not asked yet, or that has its answer.
Server::Connections::iterator Server::disposable() {
  return std::ranges::find_if(connections_,
                              [](const auto& each) { return each.second.state != State::reading; });
}

void Server::wait_for(std::uint64_t serial, const Connection& connection, std::uint32_t wanted) {
  struct epoll_event event{.events = wanted, .data = {.u64 = serial}};
  ::epoll_ctl(poll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
}

bool Server::go_on(std::uint64_t serial, Connection& connection) {
  if (connection.state == State::asking && !ask(serial, connection)) return false;
  if (connection.state == State::reading) {
    if (!send(connection)) return false;
    if (connection.state == State::leaving) wait_for(serial, connection, EPOLLIN);
    return true;
  }
  return connection.state != State::leaving || leave(connection);
}

bool Server::ask(std::uint64_t serial, Connection& connection) {
  std::array<char, 4096> buffer{};
  const std::size_t room = std::min(buffer.size(), limits_.request_bytes - connection.asked.size());
  const ssize_t n = ::recv(connection.fd.get(), buffer.data(), room, MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  connection.asked.append(buffer.data(), static_cast<std::size_t>(n));
  if (connection.asked.find("\r\n\r\n") != std::string::npos ||
      connection.asked.size() >= limits_.request_bytes)
    answer(serial, connection);
  return true;
}

void Server::answer(std::uint64_t serial, Connection& connection) {
  const std::size_t end = connection.asked.find("\r\n\r\n");
  Reply reply;
  bool body = true;
  if (end == std::string::npos) {
    reply = refusal(431);
  } else if (const auto request = parse_request(std::string_view(connection.asked).substr(0, end + 4));
             !request) {
    reply = refusal(request.error());
  } else {
    reply = handler_(*request);
    if (reply.body == nullptr) reply = refusal(reply.status);
    body = request->method != "HEAD";
  }
  connection.head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
      reply.status, reason(reply.status), reply.content_type, reply.body->size(),
      reply.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  connection.body = body ? std::move(reply.body) : std::make_shared<const std::string>();
  connection.asked = {};
  connection.state = State::reading;
  connection.until = clock_->monotonic() + limits_.reading;
  wait_for(serial, connection, EPOLLOUT);
}

bool Server::send(Connection& connection) {
  const std::size_t head = connection.head.size(), all = head + connection.body->size();
  for (std::size_t now = 0; connection.sent < all && now < kAtOnce;) {
    std::array<struct iovec, 2> parts{};
    const std::size_t in_head = std::min(connection.sent, head), in_body = connection.sent - in_head;
    parts[0] = {.iov_base = connection.head.data() + in_head, .iov_len = head - in_head};
    // sendmsg() only reads it.
    parts[1] = {.iov_base = const_cast<char*>(connection.body->data()) + in_body,
                .iov_len = connection.body->size() - in_body};
    struct msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t n = ::sendmsg(connection.fd.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    connection.sent += static_cast<std::size_t>(n);
    now += static_cast<std::size_t>(n);
  }
  if (connection.sent < all) return true;
  connection.body.reset();
  connection.sent = 0;
  connection.state = State::leaving;
  connection.until = clock_->monotonic() + kLeaving;
  return ::shutdown(connection.fd.get(), SHUT_WR) == 0;
}

bool Server::leave(Connection& connection) {
  std::array<char, 4096> ignored{};
  const ssize_t n = ::recv(connection.fd.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  connection.sent += static_cast<std::size_t>(n);
  return n > 0 && connection.sent < kAtOnce;
}

}  // namespace weir::serve
