// SPDX-License-Identifier: MIT
#include "weir/docker/http.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>

namespace weir::docker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
namespace http = boost::beast::http;

constexpr std::size_t kHeaderLimit = 65'536;

milliseconds left_until(steady_clock::time_point deadline) {
  return std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
}

/// Waits until the socket is ready for `events`; failed (ETIMEDOUT) at the deadline.
Result<void> wait_for(int fd, short events, steady_clock::time_point deadline, std::string_view name) {
  for (;;) {
    const milliseconds left = left_until(deadline);
    if (left.count() <= 0)
      return std::unexpected(Error{ErrorKind::failed, ETIMEDOUT, std::string(name), "no answer in time", {}});
    pollfd poll_fd{.fd = fd, .events = events, .revents = 0};
    const int n = ::poll(&poll_fd, 1, static_cast<int>(left.count()));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return std::unexpected(errno_error(errno, name, "poll"));
  }
}

/// A request line must not be split: no blanks, no control characters.
bool is_request_target(std::string_view target) {
  if (!target.starts_with('/')) return false;
  for (const char c : target)
    if (c <= ' ' || c >= 0x7f) return false;
  return true;
}

}  // namespace

struct HttpConnection::Attempt {
  bool reused = false;    // the connection was kept from an earlier call
  bool answered = false;  // a byte of the answer has arrived
  bool closed = false;    // the server closed before
};

Result<void> HttpConnection::connect(Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options_.socket.empty() || options_.socket.size() >= sizeof address.sun_path)
    return std::unexpected(make_error(ErrorKind::invalid, options_.socket, "is too long for a unix socket"));
  std::memcpy(address.sun_path, options_.socket.data(), options_.socket.size());

  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(errno_error(errno, options_.socket, "socket"));
  // connect() on a unix socket blocks while the backlog is full, for as long as the send timeout says.
  const milliseconds left = std::max(left_until(deadline), milliseconds(1));
  const timeval send_timeout{.tv_sec = left.count() / 1000, .tv_usec = left.count() % 1000 * 1000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout);
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR && left_until(deadline).count() > 0) continue;
    const int err = errno == EAGAIN ? ETIMEDOUT : errno;
    Error error = errno_error(err, options_.socket, "connect");
    if (err == ECONNREFUSED || err == ENOTDIR || err == ENOTSOCK) error.kind = ErrorKind::absent;
    return std::unexpected(std::move(error));
  }
  socket_ = std::move(fd);
  return {};
}

Result<void> HttpConnection::open() {
  if (socket_.valid()) return {};
  return connect(steady_clock::now() + options_.timeout);
}

Result<void> HttpConnection::send(std::string_view bytes, Deadline deadline, Attempt& attempt) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      WEIR_CHECK(wait_for(socket_.get(), POLLOUT, deadline, options_.socket));
    } else if (errno != EINTR) {
      attempt.closed = errno == EPIPE || errno == ECONNRESET;
      return std::unexpected(errno_error(errno, options_.socket, "send"));
    }
  }
  return {};
}

Result<Answer> HttpConnection::receive(std::string_view method, Deadline deadline, Attempt& attempt) {
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.header_limit(kHeaderLimit);
  parser.body_limit(options_.body_limit);
  parser.skip(method == "HEAD");
  const auto garbage = [&](std::string_view why) {
    return std::unexpected(
        make_error(ErrorKind::failed, options_.socket, fmt::format("answered what is not HTTP: {}", why)));
  };

  std::string pending;  // received and not parsed yet: at most one incomplete line
  char buffer[32 * 1024];
  boost::beast::error_code failure;
  while (!parser.is_done()) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      WEIR_CHECK(wait_for(socket_.get(), POLLIN, deadline, options_.socket));
      continue;
    }
    if (n < 0 && errno != ECONNRESET) return std::unexpected(errno_error(errno, options_.socket, "receive"));
    if (n <= 0) {
      attempt.closed = true;
      if (!attempt.answered)
        return std::unexpected(
            make_error(ErrorKind::failed, options_.socket, "closed the connection without an answer"));
      parser.put_eof(failure);
      if (failure)
        return std::unexpected(make_error(ErrorKind::failed, options_.socket,
                                          "closed the connection in the middle of its answer"));
      break;
    }
    if (steady_clock::now() >= deadline)  // data at every look, yet never an end
      return std::unexpected(
          Error{ErrorKind::failed, ETIMEDOUT, options_.socket, "did not finish its answer in time", {}});
    attempt.answered = true;
    pending.append(buffer, static_cast<std::size_t>(n));
    std::size_t used = 0;
    while (used < pending.size() && !parser.is_done()) {
      const std::size_t step =
          parser.put(boost::asio::const_buffer(pending.data() + used, pending.size() - used), failure);
      used += step;
      if (failure == http::error::need_more || (!failure && step == 0)) break;
      if (failure == http::error::body_limit)
        return std::unexpected(
            make_error(ErrorKind::failed, options_.socket,
                       fmt::format("its answer is larger than {} bytes", options_.body_limit)));
      if (failure) return garbage(failure.message());
    }
    pending.erase(0, used);
    if (pending.size() > kHeaderLimit + sizeof buffer) return garbage("an endless line");
  }
  Answer answer{parser.get().result_int(), std::move(parser.get().body())};
  // Bytes after the answer belong to no request of ours: the two sides disagree, start afresh next time.
  if (!parser.get().keep_alive() || !pending.empty() || attempt.closed) socket_.reset();
  return answer;
}

Result<Answer> HttpConnection::try_once(std::string_view method, std::string_view bytes, Deadline deadline,
                                        Attempt& attempt) {
  attempt.reused = socket_.valid();
  if (!attempt.reused) WEIR_CHECK(connect(deadline));
  auto answer = [&]() -> Result<Answer> {
    WEIR_CHECK(send(bytes, deadline, attempt));
    return receive(method, deadline, attempt);
  }();
  if (!answer) socket_.reset();  // its state is unknown: never reuse it
  return answer;
}

Result<Answer> HttpConnection::request(std::string_view method, std::string_view target,
                                       std::string_view body) {
  if (!is_request_target(target) || method.empty() ||
      method.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos)
    return std::unexpected(make_error(ErrorKind::invalid, target, "cannot stand in an HTTP request"));
  std::string bytes = fmt::format("{} {} HTTP/1.1\r\nHost: docker\r\nUser-Agent: weir\r\n", method, target);
  if (!body.empty()) bytes += "Content-Type: application/json\r\n";
  if (!body.empty() || method == "POST") bytes += fmt::format("Content-Length: {}\r\n", body.size());
  bytes += "\r\n";
  bytes += body;

  const Deadline deadline = steady_clock::now() + options_.timeout;
  Attempt first;
  auto answer = try_once(method, bytes, deadline, first);
  // Closed while idle, before it could see this request: safe to say it again, but never twice.
  if (answer || !first.reused || !first.closed || first.answered) return answer;
  Attempt second;
  return try_once(method, bytes, deadline, second);
}

}  // namespace weir::docker
