// SPDX-License-Identifier: MIT
#pragma once
// HttpConnection: one kept HTTP/1.1 connection over a unix socket. Every request is bounded in time (connect,
// send and the whole answer share one deadline, so a dripping server gains nothing) and in the size of the
// answer. A kept connection that the server closed while it was idle is opened again, once.
//
// Plain poll() around Boost.Beast's parser: nothing here needs an event loop, and Beast is compiled in
// http.cpp alone.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "weir/base/error.h"
#include "weir/base/fd.h"

namespace weir::docker {

struct Answer {
  unsigned status = 0;
  std::string body;
};

class HttpConnection {
 public:
  struct Options {
    std::string socket;
    std::chrono::milliseconds timeout;
    std::size_t body_limit;
  };
  explicit HttpConnection(Options options) : options_(std::move(options)) {}

  /// Connects unless it is connected. absent: no socket or nobody listens; refused: no permission.
  Result<void> open();
  /// `target` is a path with query, percent-encoded already; `body` is JSON or empty.
  /// failed: no answer in time, too large an answer, or one that is not HTTP.
  Result<Answer> request(std::string_view method, std::string_view target, std::string_view body);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Attempt;
  Result<void> connect(Deadline deadline);
  Result<void> send(std::string_view bytes, Deadline deadline, Attempt& attempt);
  Result<Answer> receive(std::string_view method, Deadline deadline, Attempt& attempt);
  Result<Answer> try_once(std::string_view method, std::string_view bytes, Deadline deadline,
                          Attempt& attempt);

  Options options_;
  Fd socket_;
};

}  // namespace weir::docker
