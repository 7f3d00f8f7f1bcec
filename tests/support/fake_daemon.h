// SPDX-License-Identifier: MIT
#pragma once
// FakeDaemon: an HTTP server on a unix socket in a directory of its own, for tests of clients that must
// survive any answer. One thread; each request (head and body) is handed to the given function, whose reply
// is sent as it is.
//
//   FakeDaemon daemon([](std::string_view request) { return FakeDaemon::json(200, "[]"); });
//   … connect to daemon.socket() …

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "weir/base/fd.h"

namespace weir::testing {

class FakeDaemon {
 public:
  enum class Then { keep, close, drip };
  struct Reply {
    std::string bytes;       ///< raw, head included
    Then then = Then::keep;  ///< drip: sends `bytes` one by one, and starts again, until the client has gone
  };
  using Handler = std::function<Reply(std::string_view request)>;

  explicit FakeDaemon(Handler handler);
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon();

  [[nodiscard]] std::string socket() const { return directory_ + "/docker.sock"; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int requests() const { return requests_; }

  /// A whole answer with Content-Length.
  static Reply json(int status, std::string_view body);

 private:
  void serve();
  /// Answers one request of `fd`; false when the connection is to be closed.
  bool answer(int fd);
  void drip(int fd, std::string_view bytes);

  Handler handler_;
  std::string directory_;
  Fd listener_, stop_;
  std::atomic<int> connections_ = 0, requests_ = 0;
  std::thread thread_;
};

}  // namespace weir::testing
