// SPDX-License-Identifier: MIT
#pragma once
// Server: a small HTTP/1.1 server beside something more important. It has no thread: its owner waits on fd()
// among others and calls serve(), which does what can be done at once and never blocks. Everything is
// bounded: connections, the size of a request, the time to ask and to read. One answer a connection. When
// there are too many, the one that has been asking for longest makes room, so that silent clients cannot keep
// others out.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/error.h"
#include "weir/base/fd.h"
#include "weir/serve/listener.h"
#include "weir/serve/request.h"

namespace weir::serve {

struct Reply {
  unsigned status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  ///< shared by all who get the same
};

struct ServerLimits {
  std::size_t connections = 16;
  std::size_t request_bytes = 8192;
  std::chrono::nanoseconds asking = std::chrono::seconds(5);
  std::chrono::nanoseconds reading = std::chrono::seconds(10);
};

class Server {
 public:
  using Handler = std::function<Reply(const Request&)>;
  /// `clock` outlives it. Errors: as of Listener.
  static Result<Server> open(const Address& address, const Clock& clock, Handler handler,
                             ServerLimits limits = {});

  /// Readable when serve() has something to do; call it once a second as well, for the time limits.
  [[nodiscard]] int fd() const { return poll_.get(); }
  void serve();

  [[nodiscard]] const Address& address() const { return listener_.address(); }
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  enum class State : std::uint8_t { asking, reading, leaving };
  struct Connection {
    Fd fd;
    State state = State::asking;
    std::chrono::nanoseconds until{0};
    std::string asked, head;
    std::shared_ptr<const std::string> body;
    std::size_t sent = 0;
  };
  using Connections = std::map<std::uint64_t, Connection>;  ///< oldest first

  Server(Listener listener, const Clock& clock, Handler handler, ServerLimits limits)
      : listener_(std::move(listener)), clock_(&clock), handler_(std::move(handler)), limits_(limits) {}
  void accept();
  Connections::iterator disposable();
  void hear(bool listening);
  /// Each false: the connection has ended.
  bool go_on(std::uint64_t serial, Connection& connection);
  bool ask(std::uint64_t serial, Connection& connection);
  bool send(Connection& connection);
  static bool leave(Connection& connection);
  void answer(std::uint64_t serial, Connection& connection);
  void wait_for(std::uint64_t serial, const Connection& connection, std::uint32_t wanted);

  Listener listener_;
  const Clock* clock_;
  Handler handler_;
  ServerLimits limits_;
  Fd poll_;
  Connections connections_;
  std::uint64_t last_ = 0;
  bool hearing_ = true;
  std::chrono::nanoseconds deaf_until_{0};
};

}  // namespace weir::serve
